"""Polls as an open page's script does."""

from dataclasses import dataclass

from django.http import HttpResponse
from django.test import Client

from .environment import HTMX
from .markup import Page


@dataclass(frozen=True)
class OpenPage:
    url: str
    version: str
    seconds: str
    mark: str

    def poll(self, client: Client) -> HttpResponse:
        with_version = f"{self.url}{'&' if '?' in self.url else '?'}v={self.version}"
        return client.get(with_version, headers=HTMX)


def follow(page: Page) -> OpenPage:
    (live,) = [each.attrs for each in page.elements if each.attrs.get("id") == "live"]
    return OpenPage(live["data-url"], live["data-version"], live["data-seconds"], live["data-follows"])
