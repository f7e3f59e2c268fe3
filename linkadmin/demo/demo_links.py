"""A demo link as a whole: our database row and the provider's record, from one scene and history."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from string import ascii_letters, digits
from typing import Any

from linkadmin.links.models import Link
from linkadmin.providers.heron.plaid_codes import cause_of
from linkadmin.providers.types import Cause
from linkadmin.simulator.belvo.institutions import INSTITUTIONS

from .casting import Scene, id_of
from .histories import History, history_of
from .names import OWNERS
from .scenarios import BELVO, HERON, OPEN_FINANCE

ITEM_ID_LENGTH = 37
RENEWS_WITHIN = (4, 12)  # days
CONSENT_LASTS = timedelta(days=365)
RESOURCES_FETCHED = 3


@dataclass(frozen=True, slots=True)
class DemoLink:
    """Everything about one link at the time of the first start."""

    scene: Scene
    history: History
    link: Link
    assignee: str
    remote_created_at: datetime
    renews_at: datetime | None


def build_link(scene: Scene, *, now: datetime, rng: Random) -> DemoLink:
    """Invent a link's past. Its present matches what a fresh read of the provider returns."""
    scenario = scene.scenario
    since = now - _days(rng, *scenario.since)
    if scene.is_first_repair:
        since = now - timedelta(days=scenario.since[1], hours=6)  # longer ago than any other code expires
    began = since - timedelta(hours=1) if scenario.is_new else now - _days(rng, 36, 74)
    remote_created_at = since - timedelta(days=scenario.storage_days) if scenario.storage_days else began
    began = max(began, remote_created_at)
    plainly_works = scenario.cause is Cause.WORKING
    history = history_of(scene, began=began, since=None if plainly_works else since, now=now, rng=rng)
    if not history.creator and not scenario.storage_days:
        remote_created_at = began - _days(rng, 1, 250)  # a consent lasts a year
    quiet = now - history.changes[-1].at
    checked_at = now - timedelta(seconds=rng.randint(60, int(min(quiet, timedelta(hours=10)).total_seconds())))
    link = Link(id=scene.link_id, created_at=began, remote_created_at=remote_created_at, **scene.belongs_to)
    link.account_manager_id = scene.customer.account_manager_id
    _describe(link, scene, rng)
    assignee = history.creator or (rng.choice(OWNERS) if rng.random() < 0.1 else "")
    link.assignee_id = id_of("staff", assignee) if assignee else None
    link.last_good_at = _last_good_at(history, until=now if scene.works else since, rng=rng)
    link.stale_at = link.last_good_at + scene.fresh_for if link.last_good_at and scene.fresh_for else None
    link.observed_at = since if scenario.refusal else checked_at
    link.checked_at = since - _days(rng, 0.1, 0.4) if scenario.refusal else checked_at
    renews_at = now + timedelta(days=rng.randint(*RENEWS_WITHIN)) if scenario.cause is Cause.RENEW_SOON else None
    link.renew_by = _renew_by(scene, renews_at or remote_created_at + CONSENT_LASTS)
    _judge(link, history)
    return DemoLink(scene, history, link, assignee, remote_created_at, renews_at)


def _describe(link: Link, scene: Scene, rng: Random) -> None:
    if scene.scenario.provider == HERON:
        link.remote_id = "".join(rng.choices(ascii_letters + digits, k=ITEM_ID_LENGTH))
        link.data_source_id = f"dso_{rng.getrandbits(88):022x}"
        link.remote_kind = "plaid_integration"
    else:
        link.remote_id = str(id_of("belvo", scene.number))
        link.access_mode = "single" if scene.is_single else "recurrent"
        link.refresh_rate = scene.refresh_rate
        link.storage = f"{scene.scenario.storage_days or 365}d" if scene.is_single else "store"
        link.stale_in = "365d"
        link.resources = INSTITUTIONS[scene.bank]["resources"][:RESOURCES_FETCHED]


def _judge(link: Link, history: History) -> None:
    """Set the link's health as `links.health` would, including a Heron error code beside "active"."""
    reported, latest = history.scene.scenario.reported, history.changes[-1]
    link.health, link.cause, link.health_since = latest.new, latest.cause, history.since
    link.raw_status, link.raw_code, link.raw_words = reported.status, reported.code, reported.words
    link.conflict = reported.status == "active" and bool(reported.code)
    meaning = cause_of(reported.code) if link.conflict else None
    link.code_cause = meaning.value if meaning else ""
    link.code_since = history.since if reported.code else None
    link.request_id = history.operations[-1].request_id if history.operations else ""
    link.last_attempt_at, link.refused_at = history.last_attempt_at, history.refused_at
    link.urgency = link.rank()


def _renew_by(scene: Scene, ends_at: datetime) -> date | None:
    """Return the day a valid consent ends, or Heron access if it ends soon."""
    by_consent = scene.bank in OPEN_FINANCE and not scene.scenario.consent
    return ends_at.date() if by_consent or scene.scenario.cause is Cause.RENEW_SOON else None


def belvo_record(demo_link: DemoLink) -> dict[str, Any]:
    scenario, link = demo_link.scene.scenario, demo_link.link
    return {
        "id": link.remote_id,
        "institution": demo_link.scene.bank,
        "status": "valid" if scenario.consent else scenario.reported.status,
        "access_mode": link.access_mode,
        "refresh_rate": link.refresh_rate or None,
        "external_id": demo_link.scene.customer.external_id,
        "credentials_storage": link.storage,
        "stale_in": link.stale_in,
        "fetch_resources": link.resources,
        "created_at": demo_link.remote_created_at.isoformat(),
        "last_accessed_at": link.last_good_at.isoformat() if link.last_good_at else None,
        "silent": not demo_link.scene.works,
    }


def belvo_consent(demo_link: DemoLink) -> dict[str, Any] | None:
    """None unless the consent ended or ends soon: all others last a year."""
    status = demo_link.scene.scenario.consent
    if demo_link.scene.scenario.provider != BELVO or not (demo_link.renews_at or status):
        return None
    ended_at = demo_link.history.changes[-1].at if status == "EXPIRED" else demo_link.remote_created_at + CONSENT_LASTS
    return {
        "link": demo_link.link.remote_id,
        "status": status or "AUTHORISED",
        "created_at": demo_link.remote_created_at.isoformat(),
        "expired_at": (demo_link.renews_at or ended_at).isoformat(),
    }


def heron_record(demo_link: DemoLink) -> dict[str, Any]:
    scenario, link = demo_link.scene.scenario, demo_link.link
    return {
        "item_id": link.remote_id,
        "end_user_id": demo_link.scene.customer.external_id,
        "status": scenario.reported.status,
        "status_message": scenario.reported.words or None,
        "created": demo_link.remote_created_at.isoformat(),
        "last_updated": max(demo_link.history.changes[-1].at, link.last_good_at or link.created_at).isoformat(),
        "last_successful_sync": link.last_good_at.isoformat() if link.last_good_at else None,
        "data_source_heron_id": link.data_source_id,
        "silent": not demo_link.scene.works,
    }


def _days(rng: Random, least: float, most: float) -> timedelta:
    return timedelta(seconds=int(rng.uniform(least, most) * 86_400))


def _last_good_at(history: History, *, until: datetime, rng: Random) -> datetime | None:
    scene = history.scene
    if scene.scenario.is_new:
        return None
    if scene.is_single:
        return history.changes[0].at
    if scene.scenario.cause is Cause.STALE and scene.fresh_for:
        return until - scene.fresh_for
    usual = until - timedelta(seconds=int(scene.refresh_interval.total_seconds() * rng.uniform(0.05, 0.9)))
    return max(usual, history.worked_at)
