"""Heron: what takes a while with an end user: its processing, and its removal."""

from . import heron_bodies as bodies
from .passing import REMOVED_AFTER
from .state import EndUser, World
from .wire import Answer, Request, json_answer


def processing_status(world: World, request: Request) -> Answer:
    with world.lock:
        user = _find(world, request)
        return json_answer(200, {"status": "processing" if user.status == "ready" else "processed"})


def remove_later(world: World, request: Request) -> Answer:
    """Accept the removal; until it is done the end user is still there."""
    with world.lock:
        user = _find(world, request)
        world.leaving_users.setdefault(user.end_user_id, world.clock() + REMOVED_AFTER)
        return json_answer(202, {"heron_id": user.heron_id, "status": "pending"})


def remove(world: World, request: Request) -> Answer:
    """Remove at once: the deprecated call."""
    with world.lock:
        world.remove_end_user(_find(world, request).end_user_id)
    return Answer(204)


def _find(world: World, request: Request) -> EndUser:
    return bodies.found(world.end_user(request.args["user"]), "End user")
