"""Figures for those who watch the service, in the text format of Prometheus.

What the workers count they count in files of one folder, so whichever of them is asked answers for all. The
folder is the service's own and lasts as long as it does.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

__all__ = ["FIGURES", "Figures", "NoFigures", "figures_folder"]

_FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"  # read by prometheus_client when it is imported
FIGURES: Final[Mapping[str, str]] = {
    "tanqiao_waiting_operations": "Submissions that are not converted yet.",
    "tanqiao_sequencer_lag_seconds": "How long the oldest of them has been waiting.",
    "tanqiao_log_entries": "Entries of the transparency log.",
}
_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class NoFigures:
    """Counts nothing (:class:`gateway.api.Measures`)."""

    def answered(self, method: str, route: str, *, status: int, seconds: float) -> None:
        """Count nothing."""

    def text(self) -> bytes | None:
        """Show nothing."""
        return None


class Figures:
    """Counts in files that all workers share (:class:`gateway.api.Measures`)."""

    def __init__(self, now: Callable[[], Mapping[str, float]]) -> None:
        from prometheus_client import Counter, Histogram

        self._now = now
        self._answers = Counter("tanqiao_requests", "Answers.", ["method", "route", "status"], registry=None)
        self._seconds = Histogram(
            "tanqiao_request_seconds", "Seconds to the answer.", ["route"], registry=None, buckets=_SECONDS
        )

    def answered(self, method: str, route: str, *, status: int, seconds: float) -> None:
        """Count an answer."""
        self._answers.labels(method, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def text(self) -> bytes:
        """Return all figures; those of the home are taken now."""
        from prometheus_client import CollectorRegistry, generate_latest
        from prometheus_client.multiprocess import MultiProcessCollector

        counted = CollectorRegistry()
        MultiProcessCollector(counted)  # type: ignore[no-untyped-call]  # the package has no types for it
        found = self._now()
        lines = [generate_latest(counted)]
        for name, words in FIGURES.items():
            lines.append(f"# HELP {name} {words}\n# TYPE {name} gauge\n{name} {found[name]:g}\n".encode())
        return b"".join(lines)


@contextmanager
def figures_folder(wanted: bool) -> Iterator[None]:
    """Have the processes that are started meanwhile count in one folder."""
    if not wanted:
        yield
        return
    with TemporaryDirectory(prefix="tanqiao-figures-") as folder:
        os.environ[_FOLDER] = str(Path(folder))
        try:
            yield
        finally:
            del os.environ[_FOLDER]
