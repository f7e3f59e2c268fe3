"""Heron test values and what each does. The same tables drive the server and appear in the Simulator guide.

All are invented here: Heron documents no test values.
"""

from dataclasses import dataclass

from linkadmin.simulator.outcomes import SERVER_ERROR, Damage, Outcome, Refuse, Spoil, Succeed, Trigger, match

STATUS_CHANGE_AFTER = 3  # seconds from pending or syncing to the final status
KNOWN_ITEM = "A link with this item_id already exists"

# A value matches alone or followed by -anything; of two that match, the longer one comes first.
TRIGGERS = (
    Trigger(("access-sandbox",), "the link is created, as with any token not listed here", Succeed()),
    Trigger(("access-slow-",), "a response that takes N seconds (1 to 300)", Succeed(), timed=True),
    Trigger(
        ("access-invalid",),
        "status 422: the token is rejected",
        Refuse(422, "", {"json": {"access_token": ["Invalid access token."]}}),
    ),
    Trigger(("access-known",), "status 422 as plain text: the link already exists", Refuse(422, "", KNOWN_ITEM)),
    Trigger(("access-409",), "status 409: the link already exists", Refuse(409, "", KNOWN_ITEM)),
    Trigger(("access-401",), "status 401: the API key was deactivated", Refuse(401, "", "Missing or invalid API key")),
    Trigger(
        ("access-403",), "status 403: the account doesn't have this feature", Refuse(403, "", "Feature not enabled")
    ),
    Trigger(("access-429",), "status 429: rate limited", Refuse(429, "", "1000 per 1 minute")),
    Trigger(("access-500-acted",), "status 500, but the change was made", Spoil(Damage.ERROR, acted=True)),
    Trigger(("access-500",), "status 500, nothing changed", SERVER_ERROR),
    Trigger(("access-lost-before",), "the connection breaks, nothing changed", Spoil(Damage.NONE, acted=False)),
    Trigger(("access-lost",), "the change is made, then the connection breaks", Spoil(Damage.NONE, acted=True)),
    Trigger(
        ("access-unreadable",), "the change is made, the response can't be read", Spoil(Damage.UNREADABLE, acted=True)
    ),
    Trigger(("access-cut",), "the change is made, the response is cut off", Spoil(Damage.CUT, acted=True)),
)


@dataclass(frozen=True, slots=True)
class ItemPrefix:
    """A new link's final status, by its item ID prefix. With `waits` False the link never leaves its first status."""

    prefix: str
    says: str
    status: str
    message: str | None = None
    waits: bool = True


_LOGIN_REQUIRED = (
    "[ITEM_LOGIN_REQUIRED] the login details of this item have changed (credentials, MFA, or required user action) and "
    "a user login is required to update this information. use Link's update mode to restore the item to a good state"
)

ITEM_PREFIXES = (
    ItemPrefix("login-required-", "erroring: the customer must sign in again", "erroring", _LOGIN_REQUIRED),
    ItemPrefix(
        "locked-", "erroring: locked at the bank", "erroring", "[ITEM_LOCKED] the account is locked at the bank"
    ),
    ItemPrefix(
        "bank-down-", "erroring: the bank is down", "erroring", "[INSTITUTION_DOWN] this institution is not responding"
    ),
    ItemPrefix(
        "no-accounts-",
        "erroring: no open account was shared",
        "erroring",
        "[NO_ACCOUNTS] no valid accounts were found for this item",
    ),
    ItemPrefix(
        "revoked-",
        "erroring: the customer revoked consent",
        "erroring",
        "[USER_PERMISSION_REVOKED] the holder of this account has revoked their permission",
    ),
    ItemPrefix("new-code-", "erroring, with an unrecognized code", "erroring", "[SOME_FUTURE_CODE] something new"),
    ItemPrefix("no-code-", "erroring, with a message but no code", "erroring", "sync failed, no code given"),
    ItemPrefix("silent-", "erroring, without a message", "erroring"),
    ItemPrefix("conflict-", "active, with an old error still reported", "active", _LOGIN_REQUIRED),
    ItemPrefix("deleted-", "deleted at Plaid", "deleted_in_plaid"),
    ItemPrefix("pending-", "stays pending", "pending", waits=False),
)
ACTIVE = ItemPrefix("", f"pending, and active after {STATUS_CHANGE_AFTER} seconds", "active")


def token_outcome(access_token: str) -> Outcome:
    trigger = match(TRIGGERS, access_token, tails=True)
    return trigger.outcome if trigger else Succeed()


def item_prefix_of(item_id: str) -> ItemPrefix:
    return next((item_prefix for item_prefix in ITEM_PREFIXES if item_id.startswith(item_prefix.prefix)), ACTIVE)
