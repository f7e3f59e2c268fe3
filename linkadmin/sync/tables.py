"""What a provider keeps, as rows that one template draws: every text made here, so that it only places them."""

from collections import Counter
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from urllib.parse import urlsplit

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from linkadmin.links.causes import VERDICTS
from linkadmin.links.models import EndUser, Integration, Link
from linkadmin.links.presentation import StateBadge, badge_of, shown_name
from linkadmin.providers.records import (
    RemoteAccount,
    RemoteConnector,
    RemoteConsent,
    RemoteDataSource,
    RemoteEndUser,
    RemoteSource,
    RemoteWebhook,
)
from linkadmin.providers.types import Cause, Observation, RemoteLink


@dataclass(frozen=True, slots=True)
class Cell:
    text: str = ""
    sub: str = ""
    url: str = ""
    is_mono: bool = False
    badges: tuple[StateBadge, ...] = ()
    when: datetime | None = None
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Act:
    """A button at the end of a row: a link to a page that asks first, or a form with its values."""

    label: str
    url: str
    values: tuple[tuple[str, str], ...] = ()
    is_post: bool = False
    is_danger: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    cells: tuple[tuple[str, Cell], ...]  # each with the label of its column
    acts: tuple[Act, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    caption: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    nothing: str = ""  # what to say when there are no rows

    @property
    def has_acts(self) -> bool:
        return any(row.acts for row in self.rows)


def connectors(found: Iterable[RemoteConnector], integration: Integration) -> Table:
    """Return what is set up in our account; the one this integration speaks through is marked."""
    ours = set(integration.options.values())
    labels = (_("Name"), _("Id"), _("Brings"), _("Kind"), _("Here"))
    rows = [
        (
            Cell(each.name or "—"),
            Cell(each.remote_id, is_mono=True),
            Cell(each.resource or "—", is_mono=True),
            Cell(each.kind or "—", is_mono=True),
            _this_one() if each.remote_id in ours else Cell("—"),
        )
        for each in found
    ]
    return _table(_("What is set up in our account there"), labels, rows, _("Nothing is set up there."))


def links(
    found: Iterable[RemoteLink],
    here: Mapping[str, Link],
    waiting: Container[str],
    *,
    see_names: bool,
    of_one_customer: bool = False,
) -> Table:
    """Return links as the provider lists them.

    `here`: those of them that we know, by their id there; `waiting`: the ids of those that we are working at.
    """
    labels = (_("Link"), _("Bank or kind"), _("State"), _("Last good data"), _("Created"), _("Here"))
    rows = [
        (
            Cell(each.remote_id, sub=each.external_id, is_mono=True),
            _bank(each, here.get(each.remote_id)),
            _state(_as_we_say(each, waiting)),
            _time(each.observation.last_good_at),
            _time(each.created_at),
            _known_link(here.get(each.remote_id), see_names=see_names, by_bank=of_one_customer),
        )
        for each in found
    ]
    return _table(_("Links as the provider lists them"), labels, rows, _("The provider lists no link."))


def end_users(found: Iterable[RemoteEndUser], here: Mapping[str, EndUser], *, see_names: bool) -> Table:
    """Return customers as the provider lists them; `here`: those of them that we know, by our id."""
    labels = (_("Customer"), _("Status there"), _("Sources of data"), _("Changed"), _("Here"))
    rows = [
        (
            Cell(shown_name(each.name, see_names=see_names), sub=each.end_user_id)
            if each.name
            else Cell(each.end_user_id, is_mono=True),
            Cell(each.status or "—", is_mono=True),
            Cell(badges=_badges(each.sources)) if each.sources else Cell("—"),
            _time(each.updated_at),
            _known_customer(here.get(each.end_user_id), see_names=see_names),
        )
        for each in found
    ]
    return _table(_("Customers as the provider lists them"), labels, rows, _("The provider lists no customer."))


def webhooks(found: Iterable[RemoteWebhook], acts: Mapping[str, tuple[Act, ...]], *, see_addresses: bool) -> Table:
    """Return our subscriptions, each with what can be done; the secret part of an address only to who may see it."""
    labels = (_("Topic"), _("Address"), _("State"))
    rows = [
        (
            Cell(each.topic, sub=each.remote_id),
            Cell(each.url if see_addresses else _host(each.url), is_mono=True),
            Cell(badges=(_on(_("On")) if each.enabled else _off(_("Paused")),)),
        )
        for each in found
    ]
    return _table(
        _("Our subscriptions"),
        labels,
        rows,
        _("No subscription: what changes there is learnt by reading alone."),
        [acts.get(each.remote_id, ()) for each in found],
    )


def data_sources(
    found: Iterable[RemoteDataSource],
    here: Mapping[str, Link],
    acts: Mapping[str, tuple[Act, ...]],
) -> Table:
    """Return the sources of a customer's data, with the accounts and the span of each."""
    labels = (_("Source"), _("State"), _("Counted"), _("Last sync"), _("Accounts"), _("Link"))
    rows = [
        (
            Cell(each.kind, sub=each.remote_id, is_mono=True),
            _state(each.observation),
            Cell(badges=(_on(_("In")) if each.enabled else _off(_("Left out")),)),
            _time(each.synced_at),
            Cell(lines=tuple(map(_account, each.accounts))) if each.accounts else Cell("—"),
            _of_link(each.remote_link_id, here),
        )
        for each in found
    ]
    return _table(
        _("Where the customer's data comes from"),
        labels,
        rows,
        _("The provider has no data of this customer."),
        [acts.get(each.remote_id, ()) for each in found],
    )


def consents(found: Iterable[RemoteConsent]) -> Table:
    """Return a link's consents."""
    labels = (_("Consent"), _("Status there"), _("State"), _("Given"), _("Renew by"))
    rows = [
        (
            Cell(each.remote_id, is_mono=True),
            Cell(each.status, is_mono=True),
            _state(each.observation),
            _time(each.created_at),
            Cell(_day(_local(each.expires_at)) if each.expires_at else "—"),
        )
        for each in found
    ]
    return _table(_("Consents behind this link"), labels, rows, _("The provider keeps no consent for this link."))


def _table(
    caption: str,
    labels: tuple[str, ...],
    rows: Iterable[tuple[Cell, ...]],
    nothing: str,
    acts: Iterable[tuple[Act, ...]] | None = None,
) -> Table:
    paired = [tuple(zip(labels, cells, strict=True)) for cells in rows]
    each_acts = list(acts) if acts is not None else [()] * len(paired)
    drawn = tuple(Row(cells, can) for cells, can in zip(paired, each_acts, strict=True))
    return Table(caption, labels, drawn, nothing)


def _as_we_say(remote: RemoteLink, waiting: Container[str]) -> Observation:
    """Return what a link's own page would say: that waiting for a code which nobody can give any more is over."""
    seen = remote.observation
    if seen.cause is Cause.UNCONFIRMED and remote.remote_id not in waiting:
        return replace(seen, cause=Cause.NEVER_CONFIRMED)
    return seen


def _state(seen: Observation) -> Cell:
    verdict = VERDICTS[seen.cause]
    if seen.conflict:  # which of the two is true, the link's own page tells by the age of its data
        both = StateBadge("warn", "triangle-alert", _("The provider contradicts itself"), str(verdict.reason))
        return Cell(badges=(both,), sub=f"{seen.raw_status} · {seen.raw_code}")
    return Cell(badges=(badge_of(verdict.state, str(verdict.reason)),), sub=seen.raw_code or seen.raw_status)


def _badges(sources: Iterable[RemoteSource]) -> tuple[StateBadge, ...]:
    """Return one badge for each state of several sources, with how many are in it."""
    tally = Counter(_badge_of_source(source) for source in sources)
    return tuple(
        replace(badge, reason=ngettext("one source", "%(count)d sources", n) % {"count": n})
        for badge, n in tally.items()
    )


def _badge_of_source(source: RemoteSource) -> StateBadge:
    # A list of customers tells no reason, so "not understood yet" would promise a word that nobody said.
    if source.observation.cause is Cause.ERROR_UNNAMED:
        return StateBadge("warn", "circle-alert", _("Does not work"))
    return badge_of(VERDICTS[source.observation.cause].state)


def _account(account: RemoteAccount) -> str:
    span = " – ".join(_day(each) for each in (account.first, account.last) if each)
    counted = account.transactions
    told = (
        "" if counted is None else ngettext("one transaction", "%(count)d transactions", counted) % {"count": counted}
    )
    return " · ".join(filter(None, [account.remote_id, told, span, "" if account.enabled else _("left out")]))


def _bank(remote: RemoteLink, link: Link | None) -> Cell:
    """Return where a link leads: the bank's name, if the provider's code for it is one that we know."""
    if remote.institution and link and link.bank:
        return Cell(link.bank, sub=" · ".join(filter(None, [remote.institution, remote.access_mode])))
    return Cell(remote.institution or remote.kind or "—", sub=remote.access_mode, is_mono=True)


def _known_link(link: Link | None, *, see_names: bool, by_bank: bool) -> Cell:
    """Return our link; on the page of one customer its bank tells it from the others."""
    if link is None:
        return _not_here()
    bank = link.bank or link.integration.name
    text = bank if by_bank else shown_name(str(link.end_user), see_names=see_names)
    return Cell(text, url=link.get_absolute_url())


def _known_customer(customer: EndUser | None, *, see_names: bool) -> Cell:
    if customer is None:
        return _not_here()
    return Cell(shown_name(str(customer), see_names=see_names), url=customer.get_absolute_url())


def _of_link(remote_link_id: str, here: Mapping[str, Link]) -> Cell:
    if not remote_link_id:
        return Cell("—")
    link = here.get(remote_link_id)
    return Cell(remote_link_id, url=link.get_absolute_url() if link else "", is_mono=True)


def _not_here() -> Cell:
    return Cell(badges=(StateBadge("quiet", "circle-dashed", _("Not known here")),))


def _this_one() -> Cell:
    return Cell(badges=(StateBadge("ok", "circle-check", _("This integration")),))


def _on(label: str) -> StateBadge:
    return StateBadge("ok", "circle-check", label)


def _off(label: str) -> StateBadge:
    return StateBadge("quiet", "circle-slash", label)


def _host(url: str) -> str:
    try:
        host = urlsplit(url).hostname
    except ValueError:
        host = None
    return f"https://{host}/…" if host else "…"


def _time(at: datetime | None) -> Cell:
    return Cell(when=at) if at else Cell("—")


def _local(at: date | datetime) -> date:
    """Return the reader's day of a time; a mere day is the same for whoever reads it."""
    return timezone.localdate(at) if isinstance(at, datetime) else at


def _day(day: date) -> str:
    return date_format(day, "j M Y")
