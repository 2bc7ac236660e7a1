"""One span of OpenTelemetry for each request: its route, its status, its time, and nothing of its content."""

import hashlib
from collections.abc import Iterable
from typing import Final

from opentelemetry.context import Context
from opentelemetry.trace import SpanContext, SpanKind, StatusCode, TraceFlags, Tracer, get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Traced", "link_to", "span_named", "traceparent", "transfer_trace"]

_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH")
_PROPAGATOR: Final = TraceContextTextMapPropagator()


def transfer_trace(transfer: str) -> SpanContext:
    """Return the place of a transfer's trace: it follows from the id, so each process knows it by itself."""
    made = hashlib.sha256(b"tanqiao/trace/1\x00" + transfer.encode()).digest()
    trace, span = int.from_bytes(made[:16]), int.from_bytes(made[16:24])
    return SpanContext(trace, span, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))


def link_to(transfers: Iterable[str]) -> None:
    """Link the span of the request that is being answered, if there is one, to the traces of transfers."""
    span = get_current_span()
    if span.is_recording():
        for one in transfers:
            span.add_link(transfer_trace(one))


def traceparent() -> str:
    """Name the span of the request that is being answered, as W3C ``traceparent``; empty without one."""
    named: dict[str, str] = {}
    _PROPAGATOR.inject(named)
    return named.get("traceparent", "")


def span_named(text: str) -> SpanContext:
    """Return the span that a ``traceparent`` names; one that is not valid where it names none."""
    context = _PROPAGATOR.extract({"traceparent": text}, context=Context())
    return get_current_span(context).get_span_context()


class Traced:
    """Around everything else, where traces are wanted; goes on with the trace that ``traceparent`` names.

    Paths, queries, headers, contents and words of errors may name persons: none becomes an attribute. Nor is
    ``tracestate`` passed on, which is the sender's free text.
    """

    def __init__(self, app: ASGIApp, *, tracer: Tracer) -> None:
        self._app = app
        self._tracer = tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request within its span."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        method = scope["method"] if scope["method"] in _METHODS else "_OTHER"
        status = 0

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        with self._tracer.start_as_current_span(
            method,
            context=_named(scope),
            kind=SpanKind.SERVER,
            record_exception=False,
            set_status_on_exception=False,  # its words may quote what it failed on
        ) as span:
            try:
                await self._app(scope, receive, noted)
            finally:
                route = getattr(scope.get("route"), "path", "")
                span.update_name(f"{method} {route}".strip())
                span.set_attributes(
                    {
                        "http.request.method": method,
                        "http.route": route,
                        "http.response.status_code": status,
                        "tanqiao.request_id": scope["state"]["request_id"],
                    }
                )
                if status >= 500:
                    span.set_status(StatusCode.ERROR)


def _named(scope: Scope) -> Context:
    """Return the trace that a request belongs to, if it says so; else it begins one."""
    named = Headers(scope=scope).get("traceparent", "")
    return _PROPAGATOR.extract({"traceparent": named}, context=Context())
