"""Logs: one JSON object a line on standard error; addresses and tokens of links masked whoever wrote it."""

import logging.config
import re
from typing import Any

import structlog

ADDRESS = re.compile(r"([A-Za-z0-9])[A-Za-z0-9._%+-]*@([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*)")

TOKEN = re.compile(r"/(u|p|why|o|k|restore)/[\w%=-]{12,}", re.ASCII)


def mask(value: Any) -> Any:
    """`ana.smith@example.com` becomes `a***@example.com`, in texts, lists and mappings alike."""
    if isinstance(value, str):
        return TOKEN.sub(r"/\1/***", ADDRESS.sub(r"\1***@\2", value))
    if isinstance(value, dict):
        return {key: mask(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [mask(item) for item in value]
    return value


def masked(_logger: Any, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    return {key: mask(value) for key, value in event.items()}


SHARED: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
]


def configure(level: str) -> None:
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "json": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "foreign_pre_chain": [*SHARED, structlog.stdlib.PositionalArgumentsFormatter()],
                    "processors": [
                        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                        masked,
                        structlog.processors.JSONRenderer(default=str),
                    ],
                }
            },
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
            "root": {"handlers": ["stderr"], "level": level},
            "loggers": {
                "django.server": {"handlers": ["stderr"], "level": level, "propagate": False},
                "celery.app.trace": {"level": "WARNING"},
            },
        }
    )
