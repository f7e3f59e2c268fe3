"""How every link really stands, for a comparison with what somebody makes of it."""

from .pulse import beat
from .state import World

Standing = tuple[str, str | None, str | None]  # status, status message, when data was last fetched (ISO)


def truth(world: World) -> dict[str, dict[str, Standing]]:
    """Return how each link stands that exists now, by provider and its id there."""
    beat(world)
    with world.lock:
        links = {each.id: (each.status, None, each.last_accessed_at) for each in world.links.everything()}
        items = {
            each.item_id: (each.status, each.status_message, each.last_successful_sync)
            for each in world.items.everything()
        }
    return {"belvo": dict(links), "heron": dict(items)}
