"""Images in challenges: any image a bank sends is shown, or the page says that it can't be."""

import base64
import struct
import textwrap
import zlib

import pytest

from tests.environment import Environment
from tests.markup import Page
from tests.scripted import answering, asks

pytestmark = [pytest.mark.deep, pytest.mark.django_db(transaction=True)]

GIF = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01" + bytes(range(256)) * 2 + b"\xff\xd9"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
UNREADABLE = "We can't show this image"


def png(noise: int = 300) -> bytes:
    """A valid PNG of one pixel, with a chunk of random bytes."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(b"\x00\xff\x00\x00"))
    said = chunk(b"prVt", bytes((7 * number * number) % 251 for number in range(noise)))
    return b"\x89PNG\r\n\x1a\n" + header + said + pixels + chunk(b"IEND", b"")


def encoded(picture: bytes) -> str:
    return base64.b64encode(picture).decode()


def wrapped(text: str, end: str = "\n") -> str:
    return end.join(textwrap.wrap(text, 76))


def url_safe(text: str) -> str:
    return text.replace("+", "-").replace("/", "_")


PNG = png()
SHOWN = {
    "data URI": ("png", f"data:image/png;base64,{encoded(PNG)}", PNG),
    "wrapped": ("png", f"data:image/png;base64,{wrapped(encoded(PNG))}", PNG),
    "wrapped by CRLF": ("png", wrapped(encoded(PNG), "\r\n"), PNG),
    "JPEG": ("jpeg", f"data:image/jpeg;base64,{encoded(JPEG)}", JPEG),
    "bare JPEG": ("jpeg", encoded(JPEG), JPEG),
    "GIF": ("gif", f"data:image/gif;base64,{encoded(GIF)}", GIF),
    "bare GIF": ("gif", encoded(GIF), GIF),
    "unpadded": ("jpeg", encoded(JPEG + b"\n").rstrip("="), JPEG + b"\n"),
    "URL-safe": ("png", url_safe(encoded(PNG)).rstrip("="), PNG),
    "odd case": ("png", f"DATA:image/PNG;BASE64,{encoded(PNG)}", PNG),
    "parameters": ("png", f"data:image/png;charset=utf-8;base64,{encoded(PNG)}", PNG),
    "no kind": ("png", f"data:;base64,{encoded(PNG)}", PNG),
    "wrong kind": ("jpeg", f"data:image/jpg;base64,{encoded(JPEG)}", JPEG),
    "percent": ("png", f"data:image/png;base64,{encoded(PNG).replace('+', '%2B').replace('/', '%2F')}", PNG),
    "large": ("png", f"data:image/png;base64,{encoded(png(137_000))}", png(137_000)),
}
NOT_SHOWN = {
    "SVG": f"data:image/svg+xml;base64,{encoded(SVG)}",
    "SVG in plain": "data:image/svg+xml;utf8," + SVG.decode(),
    "SVG markup": SVG.decode(),
    "bare SVG": encoded(SVG),
    "SVG that says it is a PNG": f"data:image/png;base64,{encoded(SVG)}",
    "another kind": f"data:image/tiff;base64,{encoded(b'II*' + bytes(100))}",
    "bare and unknown": wrapped(encoded(bytes(range(256)))),
    "cut": encoded(PNG)[:301],
    "cut where it decodes": encoded(PNG)[:300],
    "web page": f"data:text/html;base64,{encoded(b'<script>alert(1)</script>')}",
}


def step(env: Environment, value: str, kind: str = "qr", password: str = "pass") -> Page:
    link = env.belvo_link()
    with answering(env.belvo, asks(link.remote_id, type=kind, value=value, instructions="Escanea")):
        env.send(f"/links/{link.pk}/credentials/", password=password)
    return env.open(f"/links/{link.pk}/code/")


def pictures(page: Page) -> list[str]:
    return [each.attrs["src"] for each in page.elements if each.tag == "img" and "src" in each.attrs]


def loaded(env: Environment, url: str) -> tuple[str, bytes]:
    answer = env.client().get(url)
    assert answer.status_code == 200
    return answer["Content-Type"], answer.content


def said_openly(page: Page) -> bool:
    """Whether the page itself says so, not only the fallback for a browser that fails."""
    return any("data-picture-broken" in each.attrs and "hidden" not in each.attrs for each in page.elements)


@pytest.mark.parametrize("kind", ["qr", *(pytest.param(kind, marks=pytest.mark.thorough) for kind in ("image", ""))])
def test_each_image_is_shown(env: Environment, kind: str) -> None:
    for name, (mime, value, picture) in SHOWN.items():
        page = step(env, value, kind)

        (source,) = pictures(page)
        assert (*loaded(env, source), name) == (f"image/{mime}", picture, name)
        assert not said_openly(page), name
        assert encoded(picture)[40:80] not in page.words, name


@pytest.mark.parametrize(
    "kind", ["qr", *(pytest.param(kind, marks=pytest.mark.thorough) for kind in ("text", "numeric"))]
)
def test_image_that_cannot_be_shown_says_so(env: Environment, kind: str) -> None:
    for name, value in NOT_SHOWN.items():
        page = step(env, value, kind)

        assert (said_openly(page), name) == (True, name)
        assert UNREADABLE in page.words
        assert pictures(page) == [], name
        assert value[30:70] not in page.source, name


def test_image_that_contains_the_pin_by_chance_is_shown(env: Environment) -> None:
    picture = encoded(png(137_000))
    pin = next(picture[at : at + 4] for at in range(2000, 9000) if picture[at : at + 4].isalnum())

    assert len(pictures(step(env, picture, password=pin))) == 1


@pytest.mark.parametrize(
    "value",
    [
        "SIMULATED-BANK:123456",
        "https://bank.example/approve?session=8c7b1f0e5d3a4b6c9f2e1d0c7b8a4806&state=Zm9vYmFy",
        "00020126580014br.gov.bcb.pix0136123e4567-e12b-12d1-a456-426655440000",
        "8c7b1f0e5d3a4b6c9f2e1d0c7b8a48068c7b1f0e5d3a4b6c9f2e1d0c7b8a4806",
        "482193",
    ],
)
def test_other_text_becomes_a_qr_code(env: Environment, value: str) -> None:
    page = step(env, value)

    (source,) = pictures(page)
    kind, drawn = loaded(env, source)
    assert kind == "image/svg+xml"  # drawn by us
    assert b"<svg" in drawn
    assert value in page.words


def test_question_is_not_an_image_however_it_starts(env: Environment) -> None:
    for question in (
        "Data: 12/03/2026, agência 0001. Qual é a sua senha de 6 dígitos do cartão?",
        "Data de nascimento",
    ):
        page = step(env, question, "text")

        assert question in page.words
        assert not said_openly(page)
