"""Read-only Django admin of the audit log, and the base classes of all our admins.

URL parameters are restricted: by default, Django filters by any column of any table.
"""

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import SEARCH_VAR, ChangeList
from django.contrib.auth import get_user_model
from django.core.exceptions import BadRequest
from django.db.models import DateField, QuerySet
from django.db.models.constants import LOOKUP_SEP
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from linkadmin.ids import as_uuid
from linkadmin.search.lookups import begins, equals, is_id, look_up
from linkadmin.timestamps import exact_words

from .changelists import KeysetChangeList
from .log import Action, ObjectType, Outcome, record
from .models import UNUSUAL, AuditEvent

# URL names of pages an event links to, by target type: this package imports none of them.
PAGES: dict[str, str] = {ObjectType.BULK_JOB: "bulk-detail"}
SHORT_ID = 8  # characters of an ID in a list; the event's own page shows all of it
SEARCH_LENGTH, SEARCH_WORDS = 200, 10


def copyable(value: object, *, whole: bool = False) -> str | None:
    """An ID with a button that copies it. Lists show its beginning."""
    text = "" if value is None else str(value)
    shown = text if whole else text[:SHORT_ID]
    return render_to_string("admin/_id.html", {"text": text, "shown": shown}) if text else None


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Base of all our admins: shows rows, with declared filters only and a short search.

    Roles decide who may view, through `has_perm("<app>.view_<model>")`.
    """

    actions = None
    change_form_template = "admin/record.html"
    change_list_template = "admin/records.html"
    list_per_page = 50
    show_facets = admin.ShowFacets.NEVER
    sortable_by = ()

    id_fields: tuple[str, ...] = ()  # columns of IDs that can be pasted into the search, besides `search_fields`

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        return lookup in self._offered_lookups()

    def to_field_allowed(self, request: HttpRequest, to_field: str) -> bool:
        return to_field == self.opts.pk.name

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        words = request.GET.get(SEARCH_VAR, "")
        if len(words) > SEARCH_LENGTH or len(words.split()) > SEARCH_WORDS:
            raise BadRequest("a search that is too long")
        return super().changelist_view(request, extra_context)

    @admin.display(description=_("ID"))
    def whole_id(self, row: Any) -> str | None:
        return copyable(row.pk, whole=True)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return KeysetChangeList

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """Look the whole term up in each field's index. `search_fields` end in `__exact` or `__startswith`."""
        words = search_term.strip()
        if not words or not (self.id_fields or self.get_search_fields(request)):
            return queryset, False
        pasted = as_uuid(words)
        conditions = [is_id(name, pasted) for name in self.id_fields if pasted]
        for field in self.get_search_fields(request):
            column, _separator, kind = field.rpartition(LOOKUP_SEP)
            conditions.append((begins if kind == "startswith" else equals)(column, words))
        return look_up(queryset, conditions), False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def _offered_lookups(self) -> set[str]:
        offered: set[str] = set()
        for listed in self.list_filter:
            each: Any = listed[0] if isinstance(listed, tuple) else listed
            if not isinstance(each, str):
                offered.add(str(getattr(each, "parameter_name")))  # noqa: B009 - Django's types know less of a filter
                continue
            field = self.model._meta.get_field(each)
            key = [each, field.target_field.name] if field.is_relation else [each]
            kinds = ("gte", "lt") if isinstance(field, DateField) else ("exact",)
            offered |= {each, LOOKUP_SEP.join([each, "isnull"])} | {LOOKUP_SEP.join([*key, kind]) for kind in kinds}
        return offered


class SubjectFilter(admin.SimpleListFilter):
    """Filters by the action's subject. A fixed list: finding all distinct actions would scan the table."""

    title = _("category")
    parameter_name = "subject"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("link", _("Links")),
            ("end_user", _("Customers")),
            ("operation", _("Operations")),
            ("integration", _("Integrations")),
            ("bulk_job", _("Bulk actions")),
            ("delivery", _("Deliveries")),
            ("list", _("Exports")),
            ("session", _("Sessions")),
            ("staff", _("Staff")),
            ("access", _("Access denied")),
            ("audit", _("Audit log")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
        return look_up(queryset, [begins("action", f"{self.value()}.")]) if self.value() else queryset


class OutcomeFilter(admin.SimpleListFilter):
    title = _("outcome")
    parameter_name = "outcome__exact"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(Outcome.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
        outcome = self.value()
        if not outcome:
            return queryset
        # SQLite uses the index of unusual outcomes only if its condition is repeated.
        found = queryset if outcome in (Outcome.DONE, Outcome.REQUESTED) else queryset.filter(UNUSUAL)
        return found.filter(outcome=outcome)


class RoleFilter(admin.SimpleListFilter):
    """Filters by a role the person had at the time."""

    title = _("role")
    parameter_name = "role"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(stored, label) for stored, label in _roles() if "," not in stored]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
        role = self.value()
        if not role:
            return queryset
        return queryset.filter(actor_role__in=[stored for stored, _label in _roles() if role in stored.split(",")])


def _roles() -> list[tuple[str, Any]]:
    """All that one person may have, separated by commas."""
    return list(get_user_model()._meta.get_field("roles").flatchoices)


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    readonly_fields = ("rows",)
    list_display = ("seq", "time", "actor", "actor_role", "action", "object", "outcome", "request")
    list_filter = (OutcomeFilter, SubjectFilter, RoleFilter, "at")
    ordering = ("-seq",)
    search_fields = (
        "actor__exact",
        "action__startswith",
        "object_id__exact",
        "operation_id__exact",
        "request_id__exact",
    )
    search_help_text = _("A username, the beginning of an action name, or a target, operation, or request ID.")

    @admin.display(description=_("time"))
    def time(self, event: AuditEvent) -> str:
        return exact_words(event.at)

    @admin.display(description=_("target"))
    def object(self, event: AuditEvent) -> str:
        return f"{event.object_type} {event.object_id[:SHORT_ID]}".strip()

    @admin.display(description=_("results"))
    def rows(self, event: AuditEvent) -> str | None:
        if event.object_type not in PAGES:
            return None
        return format_html('<a href="{url}">{url}</a>', url=reverse(PAGES[event.object_type], args=[event.object_id]))

    @admin.display(description=_("request ID"))
    def request(self, event: AuditEvent) -> str | None:
        return copyable(event.request_id)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if self.has_view_permission(request):
            self._record_read(request, details={"searched": bool(request.GET.get("q")), "filtered": bool(request.GET)})
        return super().changelist_view(request, extra_context)

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: AuditEvent | None = None,
    ) -> HttpResponse:
        self._record_read(request, object_id=obj.seq if obj else "")
        return super().render_change_form(request, context, add, change, form_url, obj)

    def _record_read(
        self, request: HttpRequest, *, object_id: int | str = "", details: dict[str, str | int] | None = None
    ) -> None:
        record(
            actor=request.user,  # type: ignore[arg-type]
            action=Action.AUDIT_VIEWED,
            object_type=ObjectType.AUDIT_EVENT if object_id else ObjectType.AUDIT_LOG,
            object_id=object_id,
            outcome=Outcome.DONE,
            details=details,
        )
