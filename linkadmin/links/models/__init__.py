"""What we know: customers, the providers we reach them through, and the state of each link."""

from .integrations import Institution, Integration, IntegrationSecret
from .links import EndUser, HealthChange, Link, LinkQuerySet, LinkSearch, UnknownValue, search_text
from .traffic import CallPlace, CallQuota, Traffic

__all__ = [
    "CallPlace",
    "CallQuota",
    "EndUser",
    "HealthChange",
    "Institution",
    "Integration",
    "IntegrationSecret",
    "Link",
    "LinkQuerySet",
    "LinkSearch",
    "Traffic",
    "UnknownValue",
    "search_text",
]
