"""The service's log: one JSON object a line on stderr.

Only chosen facts are written: never what a foreign error says, for it may quote the data it failed on.
"""

import logging
import os
import sys
import traceback
from datetime import UTC, datetime
from typing import Final

import orjson
from opentelemetry.trace import get_current_span

from gateway.errors import GatewayError

__all__ = ["JsonLines", "write_logs"]

_FACTS: Final = ("code", "request_id", "trace_id", "platform", "operator", "method", "route", "status", "ms")
_FRAMES: Final = 12


class JsonLines(logging.Formatter):
    """Writes a record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "process": os.getpid(),
            "event": record.getMessage(),
        }
        span = get_current_span().get_span_context()
        if span.is_valid:
            line["trace_id"], line["span_id"] = f"{span.trace_id:032x}", f"{span.span_id:016x}"
        line |= {name: value for name in _FACTS if (value := getattr(record, name, None)) is not None}
        if record.exc_info and record.exc_info[1] is not None:
            line |= _told(record.exc_info[1])
        return orjson.dumps(line, default=str).decode()


def _told(error: BaseException) -> dict[str, object]:
    """Return what may be written of an error: its kind and where it came from."""
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    told: dict[str, object] = {
        "error": type(error).__name__,
        "at": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    }
    if isinstance(error, GatewayError):
        told |= {"code": error.code, "detail": str(error)}
    return told


def write_logs(level: str) -> None:
    """Send all logs of this process to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.getLogger("uvicorn").setLevel(logging.ERROR)  # it warns of every request that is no HTTP
    for chatty in ("httpx", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
