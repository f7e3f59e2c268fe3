"""Which path and method leads to which function."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import unquote

from .state import World
from .wire import Answer, Request

Handler = Callable[[World, Request], Answer]


@dataclass(frozen=True, slots=True)
class Route:
    """A path with its methods. An open route asks for no key."""

    pattern: str
    methods: Mapping[str, Handler]
    open: bool = False


def find(routes: Sequence[Route], request: Request) -> tuple[Route, Request] | None:
    """Find the route of a request, and give the request the parts of its path, each decoded by itself."""
    for route in routes:
        if matched := re.fullmatch(route.pattern, request.target):
            args = {name: unquote(part) for name, part in matched.groupdict().items()}
            return route, replace(request, args=args)
    return None
