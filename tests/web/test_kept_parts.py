"""Parts that are drawn once and kept, around what is fresh on every page."""

from typing import Any

from django.template import Context, Template
from django.utils import translation

from tests.environment import Environment

PART = Template(
    "{% kept rights %}<b>{% if rights %}{{ drawn }}: {% fresh %}{{ token }}{% endfresh %}"
    "{% else %}nothing{% endif %}</b>{% fresh %}{{ name }}{% endfresh %}{% endkept %}"
)


class Drawn:
    """Counts how often it's drawn."""

    times = 0

    def __str__(self) -> str:
        self.times += 1
        return f"drawn {self.times}"


def drawn(**values: Any) -> str:
    return PART.render(Context(values))


def test_kept_part_is_drawn_once_and_what_is_fresh_every_time() -> None:
    thing = Drawn()
    assert drawn(rights="some", drawn=thing, token="<1>", name="Ana") == "<b>drawn 1: &lt;1&gt;</b>Ana"
    assert drawn(rights="some", drawn=thing, token="<2>", name="Ben") == "<b>drawn 1: &lt;2&gt;</b>Ben"


def test_part_is_drawn_for_each_of_what_it_depends_on_and_each_language() -> None:
    thing = Drawn()
    drawn(rights="others", drawn=thing, token="1", name="")
    assert drawn(rights="", drawn=thing, token="1", name="Ana") == "<b>nothing</b>Ana"
    with translation.override("es"):
        assert drawn(rights="others", drawn=thing, token="1", name="") == "<b>drawn 2: 1</b>"


def test_page_of_one_person_shows_nothing_of_another(env: Environment) -> None:
    ana, ben = env.open("/", "ana"), env.open("/", "ben")

    assert env.people["ana"].display_name in ana.source
    assert env.people["ana"].display_name not in ben.source
    assert env.people["ben"].display_name in ben.source
    assert ana.form_with("q").values != ben.form_with("q").values


def test_kept_part_leaves_out_the_indentation_of_its_template() -> None:
    part = Template("{% kept %}<b>\n    <i>a  b</i>\n\n  </b>{% fresh %}\n  {{ text }}{% endfresh %}{% endkept %}")

    assert part.render(Context({"text": "1\n  2"})) == "<b>\n<i>a  b</i>\n</b>\n  1\n  2"
