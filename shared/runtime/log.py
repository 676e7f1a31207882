"""Logging: one line a happening, to standard error, without secrets."""

import logging
import sys
from collections.abc import Iterable
from typing import Any

import structlog

from shared.runtime.settings import Settings


class _Redacted:
    """Renders by `render` and blanks every secret in the result, wherever it came from."""

    def __init__(self, render: structlog.typing.Processor, secrets: Iterable[str]) -> None:
        self._render = render
        self._secrets = tuple(secrets)

    def __call__(self, logger: Any, method: str, event: structlog.typing.EventDict) -> str:
        line = str(self._render(logger, method, event))
        for secret in self._secrets:
            line = line.replace(secret, "***")
        return line


def configure_log(settings: Settings, service: str) -> structlog.typing.FilteringBoundLogger:
    """Set up logging for the process as LOG_LEVEL and LOG_FORMAT say; answers the service's logger."""
    in_json = settings.log_format == "json"
    render = (
        structlog.processors.JSONRenderer()
        if in_json
        else structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *([structlog.processors.format_exc_info] if in_json else []),
            _Redacted(render, settings.secrets()),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[settings.log_level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    structlog.contextvars.bind_contextvars(service=service)
    logger: structlog.typing.FilteringBoundLogger = structlog.get_logger()
    return logger
