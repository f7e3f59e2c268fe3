"""Logging: one JSON line per event, with named values only. Never bodies, headers, form data or local variables."""

import logging
import logging.config
import re
from collections.abc import ItemsView, MutableMapping
from typing import Any

import structlog
from django.http import HttpRequest
from django.views.debug import SafeExceptionReporterFilter

FIELD_LIMIT = 2_048  # characters
# Paths that are proof enough: of a customer's repair request, and of a webhook endpoint.
_SECRET_PATH = re.compile(r"(/repair/|/webhooks/[-\w]+/)[-\w]{20,}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class NoValues(SafeExceptionReporterFilter):
    """Keep all values of a failing request out of error reports: form data, locals, settings, cookies."""

    def is_active(self, request: HttpRequest | None) -> bool:
        return True

    def get_post_parameters(self, request: HttpRequest | None) -> dict[str, Any]:
        return {}

    def get_safe_cookies(self, request: HttpRequest | None) -> dict[str, Any]:
        return {}

    def get_traceback_frame_variables(self, request: HttpRequest | None, tb_frame: Any) -> ItemsView[str, Any]:
        return {}.items()


class SecretPaths(logging.Filter):
    """Keeps secret paths out of the log of a program that configures its own logging."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = without_secret_paths(record.getMessage()), ()
        return True


def without_secret_paths(text: str) -> str:
    return _SECRET_PATH.sub(r"\1…", text)


def one_line(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Escape control characters, so that no value can start a line of its own, and cut long texts and secret URLs."""
    for key, value in event.items():
        if isinstance(value, str) and key != "exception":
            shown = without_secret_paths(value)
            event[key] = _CONTROL.sub(lambda match: repr(match.group())[1:-1], shown)[:FIELD_LIMIT]
    return event


def logging_config(*, level: str) -> dict[str, Any]:
    shared = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        one_line,
    ]
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "json": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": shared,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.format_exc_info,
                    structlog.processors.JSONRenderer(),
                ],
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "linkadmin.audit.heads": {"level": "INFO"},  # a truncated audit log is detected with the log stream
            # These print bodies, headers or SQL parameters at debug level.
            "urllib3": {"level": "WARNING"},
            "urllib3.connection": {"level": "ERROR"},  # its warning about malformed headers quotes them
            "django.db.backends": {"level": "WARNING"},
            "django.request": {"level": "ERROR"},  # denied or mistyped requests aren't our errors
            "django.template": {"level": "INFO"},
            "kombu": {"level": "INFO"},
            "kombu.connection": {"level": "ERROR"},  # it warns that folders have no host name
            "amqp": {"level": "INFO"},
            "celery.beat": {"level": "WARNING"},  # it logs every task it sends
        },
    }


def configure(config: dict[str, Any]) -> None:
    logging.config.dictConfig(config)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.filter_by_level,
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            one_line,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
