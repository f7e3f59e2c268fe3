"""Navigation and user menu: what surrounds every page."""

from collections.abc import Container
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise, SimpleLazyObject
from django.utils.translation import gettext_lazy as _

from .models import User
from .roles import Right, rights_of


@dataclass(frozen=True)
class NavEntry:
    """A navigation link. It's current on every page whose view name starts with one of `pages`."""

    label: Promise
    view: str
    icon: str  # a lucide name
    right: Right
    pages: tuple[str, ...]


NAVIGATION: tuple[tuple[Promise, tuple[NavEntry, ...]], ...] = (
    (
        _("Work"),
        (
            NavEntry(_("Overview"), "overview", "layout-dashboard", Right.VIEW_OVERVIEW, ("overview",)),
            NavEntry(_("Links"), "link-list", "link", Right.VIEW_LINKS, ("link-", "institution-search", "operation-")),
            NavEntry(_("Bulk actions"), "bulk-list", "list-checks", Right.VIEW_LINKS, ("bulk-",)),
            NavEntry(_("Customers"), "end-user-list", "users", Right.VIEW_END_USERS, ("end-user-", "data-source-")),
            NavEntry(
                _("Institutions"),
                "institution-list",
                "landmark",
                Right.VIEW_OVERVIEW,
                ("institution-", "institutions-"),
            ),
            NavEntry(_("Activity"), "operation-list", "activity", Right.VIEW_OVERVIEW, ("operation-list",)),
            NavEntry(_("Webhooks"), "delivery-list", "webhook", Right.VIEW_ALL_DELIVERIES, ("delivery-",)),
        ),
    ),
    (
        _("Setup"),
        (
            NavEntry(
                _("Integrations"), "integration-list", "plug", Right.VIEW_INTEGRATIONS, ("integration-", "full-check-")
            ),
            NavEntry(_("Staff"), "staff-list", "user-cog", Right.VIEW_STAFF, ("staff-",)),
            NavEntry(_("Staff limits"), "staff-limits", "gauge", Right.VIEW_LIMITS, ("staff-limit",)),
            NavEntry(
                _("Unrecognized values"),
                "unrecognized-values",
                "book-open-text",
                Right.VIEW_OVERVIEW,
                ("unrecognized-values",),
            ),
        ),
    ),
    (
        _("Audit"),
        (
            NavEntry(
                _("Audit log"),
                "admin:audit_auditevent_changelist",
                "scroll-text",
                Right.VIEW_AUDIT,
                ("admin:audit_",),
            ),
            NavEntry(_("Django admin"), "admin:index", "database", Right.VIEW_AUDIT, ("admin:",)),
            NavEntry(_("System status"), "system-status", "heart-pulse", Right.VIEW_SYSTEM_STATUS, ("system-status",)),
        ),
    ),
)


def shell(request: HttpRequest) -> dict[str, Any]:
    """Makes no database queries."""
    frame: dict[str, Any] = {
        "demo": settings.DEMO,
        "simulator_url": settings.SIMULATOR_URL,
        "identity_provider": settings.IDENTITY_PROVIDER,
        "password_sign_in": settings.PASSWORD_SIGN_IN,
        "nav": [],
        "rights": frozenset(),
    }
    user = getattr(request, "user", None)
    if not isinstance(user, User):
        return frame
    rights = rights_of(user)
    return frame | {
        "layout": "base.html",  # of error pages: with navigation and search for those who are signed in
        "nav": SimpleLazyObject(lambda: _navigation(request, rights)),  # pages keep it drawn
        "section": _section(request, rights),
        "rights": rights,
        "export_rows": f"{settings.EXPORT_ROWS:,}" if settings.EXPORT_ROWS else "",
        "roles_label": user.get_roles_display(),
        "initials": _initials(user.display_name),
    }


def _navigation(request: HttpRequest, rights: frozenset[Right]) -> list[dict[str, Any]]:
    sections = [(label, [entry for entry in entries if entry.right in rights]) for label, entries in NAVIGATION]
    section = _section(request, rights)
    return [
        {
            "label": label,
            "items": [
                {
                    "label": entry.label,
                    "url": reverse(entry.view),
                    "icon": entry.icon,
                    "current": entry.view == section,
                }
                for entry in entries
            ],
        }
        for label, entries in sections
        if entries
    ]


def entry_of(view: str, rights: Container[Right]) -> NavEntry | None:
    """The longest prefix wins: the audit log is part of the Django admin."""
    entries = (entry for _label, entries in NAVIGATION for entry in entries if entry.right in rights)
    fitting = [(len(page), entry) for entry in entries for page in entry.pages if view.startswith(page)]
    return max(fitting, key=lambda fit: fit[0])[1] if fitting else None


def _section(request: HttpRequest, rights: frozenset[Right]) -> str:
    entry = entry_of(request.resolver_match.view_name if request.resolver_match else "", rights)
    return entry.view if entry else ""


def _initials(name: str) -> str:
    """The first two letters: those of first and last names may spell a word, like NO."""
    return name.strip()[:2].upper()
