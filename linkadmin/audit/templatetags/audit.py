"""Template tag for alerts about the audit log."""

from django import template

from linkadmin.audit import checks

register = template.Library()


@register.simple_tag
def audit_alerts() -> list[checks.AuditAlert]:
    return checks.alerts()
