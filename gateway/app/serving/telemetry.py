"""Traces by OpenTelemetry: off unless the environment names a receiver, by its own variables ``OTEL_…``."""

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from importlib.metadata import version
from threading import Thread
from typing import TYPE_CHECKING, Final

from opentelemetry.context import Context
from opentelemetry.trace import Link, Tracer, use_span

from gateway.api.traced import span_named, transfer_trace
from gateway.errors import LocalFileError

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

__all__ = ["Traces", "require_traces", "tracing"]

SECOND_NS: Final = 1_000_000_000
FLUSH_SECONDS: Final = 2.0
LINKS_MAX: Final = 128  # as many as OpenTelemetry keeps of a span
_begun: ContextVar[int] = ContextVar("_begun", default=0)
"""The id of the trace that the next span without a parent is to begin; 0: any."""


class Traces:
    """Where spans go; nowhere without a tracer."""

    def __init__(self, tracer: Tracer | None = None) -> None:
        self.tracer = tracer

    def worked(
        self, what: str, *, seconds: float, facts: Mapping[str, str | int], requests: Sequence[str] = ()
    ) -> None:
        """Note a piece of work that has just ended (:class:`gateway.ports.Worked`)."""
        if self.tracer is not None:
            now = time.time_ns()
            attributes = {f"tanqiao.{name}": value for name, value in facts.items()}
            begun = now - int(seconds * SECOND_NS)
            named = list(dict.fromkeys(requests))[:LINKS_MAX]
            links = [Link(span_named(one)) for one in named]
            self.tracer.start_span(what, start_time=begun, attributes=attributes, links=links).end(now)

    @contextmanager
    def working(
        self, what: str, *, facts: Mapping[str, str | int], transfers: Sequence[str]
    ) -> Iterator[None]:
        """Have a span around work on transfers (:class:`gateway.ports.Working`).

        What concerns one transfer stands in the trace of that transfer; what concerns several is linked to
        the traces of all of them.
        """
        if self.tracer is None:
            yield
            return
        attributes = {f"tanqiao.{name}": value for name, value in facts.items()}
        places = [transfer_trace(one) for one in transfers]
        before = _begun.set(places[0].trace_id if len(places) == 1 else 0)
        try:
            span = self.tracer.start_span(
                what,
                context=Context(),
                attributes=attributes,
                links=[Link(place) for place in places] if len(places) > 1 else None,
            )
        finally:
            _begun.reset(before)
        # an exception's words may quote what it failed on
        with use_span(span, end_on_exit=True, record_exception=False, set_status_on_exception=False):
            yield


def require_traces(environment: Mapping[str, str] = os.environ) -> None:
    """Refuse to begin where traces are asked for that cannot be sent.

    Raises:
        LocalFileError: the packages are missing, or the environment asks for another way than OTLP over HTTP.
    """
    if not _wanted(environment):
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: F401
    except ImportError as error:
        raise LocalFileError(
            "OTEL_EXPORTER_OTLP_ENDPOINT asks for traces, and the packages for them are not installed",
            remedy="pip install 'tanqiao[otel]', or unset it",
        ) from error


@contextmanager
def tracing() -> Iterator[Traces]:
    """Give where the spans of this process go; what is not sent at its end is sent then, for some seconds."""
    if not _wanted(os.environ):
        yield Traces()
        return
    provider = _provider()
    try:
        yield Traces(provider.get_tracer("tanqiao", version("tanqiao")))
    finally:
        ending = Thread(target=provider.shutdown, daemon=True)  # waits for a receiver that is gone
        ending.start()
        ending.join(FLUSH_SECONDS)


def _wanted(environment: Mapping[str, str]) -> bool:
    exporter = environment.get("OTEL_TRACES_EXPORTER", "otlp")
    protocol = environment.get(
        "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
        environment.get("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
    )
    named = environment.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") or environment.get(
        "OTEL_EXPORTER_OTLP_ENDPOINT"
    )
    if not named or exporter == "none" or environment.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    if (exporter, protocol) != ("otlp", "http/protobuf"):
        raise LocalFileError(
            f"OTEL_* asks for traces by {exporter}, {protocol}",
            remedy="set OTEL_TRACES_EXPORTER to otlp or none, and the protocol to http/protobuf",
        )
    return True


def _provider() -> "TracerProvider":
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.id_generator import RandomIdGenerator

    class Ids(RandomIdGenerator):
        def generate_trace_id(self) -> int:
            return _begun.get() or super().generate_trace_id()

    named = "OTEL_SERVICE_NAME" in os.environ
    named = named or "service.name=" in os.environ.get("OTEL_RESOURCE_ATTRIBUTES", "")
    usual = {} if named else {"service.name": "tanqiao"}
    provider = TracerProvider(resource=Resource.create(usual), shutdown_on_exit=False, id_generator=Ids())
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider
