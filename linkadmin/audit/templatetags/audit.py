"""Alerts about the audit log, and a filter for tables of the Django admin."""

from collections.abc import Iterable, Iterator
from typing import Any

from django import template

from linkadmin.audit import checks

register = template.Library()


@register.simple_tag
def audit_alerts() -> list[checks.AuditAlert]:
    return checks.alerts()


@register.filter
def paired(heads: Iterable[Any], cells: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
    return zip(heads, cells, strict=True)
