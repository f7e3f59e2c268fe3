"""What a provider was asked to do and does a little later: remove things, process an end user."""

from .belvo_messages import removed
from .state import World

REMOVED_AFTER = 4  # seconds from the acceptance of an asynchronous removal to its end
PROCESSED_AFTER = 3  # seconds from an end user's status ready to processed


def finish_due(world: World) -> None:
    """Let everything have happened whose time has come."""
    if not (world.leaving_links or world.leaving_users or world.processing):
        return
    with world.lock:
        for link_id in _due(world, world.leaving_links):
            _remove_link(world, link_id)
        for end_user_id in _due(world, world.leaving_users):
            world.remove_end_user(end_user_id)
        for end_user_id in _due(world, world.processing):
            _finish(world, end_user_id)


def _due(world: World, moments: dict[str, float]) -> list[str]:
    due = [key for key, moment in moments.items() if moment <= world.clock()]
    for key in due:
        del moments[key]
    return due


def _remove_link(world: World, link_id: str) -> None:
    if link := world.links.find(link_id):
        world.tell_belvo(removed(link, world.removals[link_id]))
    world.remove_belvo_link(link_id)


def _finish(world: World, end_user_id: str) -> None:
    user = world.customers.take(end_user_id)
    if user and user.status == "ready":
        user.status, user.last_processed_at, user.last_updated = "processed", world.now(), world.now()
        world.tell_of_end_user(end_user_id, "processed")
        world.save()
