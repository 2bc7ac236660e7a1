"""Join the parts of converting."""

import gc
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from gateway.app.base.crews import here, in_processes
from gateway.app.base.home import open_home
from gateway.app.base.mappings import Reading
from gateway.app.reviewing.publications import approved_at
from gateway.ports import Clock
from gateway.service.acts.submission import InputDocument, Submission, Summary
from gateway.service.converting.parts import Crew
from gateway.service.converting.pipeline import convert_submission
from gateway.service.mappings.catalogue import require_unchanged
from gateway.store.files.inputs import InputFile, open_input, order_inputs, require_whole
from gateway.store.journal.rehearsal import Rehearsal

__all__ = ["convert_files", "crew_for", "input_document", "input_documents", "quiet_collector"]

WORKERS_FROM_BYTES = 16 * 1024 * 1024  # starting workers takes as long as converting about 100,000 rows


def convert_files(
    root: Path,
    files: Sequence[Path],
    *,
    reading: Reading,
    dry_run: bool = False,
    watch: Callable[[int], None] = lambda _rows: None,
    clock: Clock | None = None,
) -> Summary:
    """Convert files in a home; see :func:`gateway.service.converting.pipeline.convert_submission`."""
    documents = input_documents(files)
    with open_home(root, writing=not dry_run) as opened, ExitStack() as stack:
        adapter, scheme = reading.choose(approved_at(opened)())
        require_unchanged(scheme, opened.journal.mappings())
        submission = Submission(adapter=adapter, scheme=scheme, documents=documents, dry_run=dry_run)
        if dry_run:
            rehearsal = stack.enter_context(Rehearsal(opened.journal))
            parts = replace(opened.converting(rehearsal.scratch()), memory=rehearsal)
        else:
            parts = opened.converting(opened.home.scratch())
        parts = parts if clock is None else replace(parts, clock=clock)
        parts = replace(parts, crew=crew_for(sum(document.size for document in documents)))
        stack.enter_context(quiet_collector())
        summary = convert_submission(submission, parts, watch=watch)
        summary.checkpoint = opened.log.checkpoint.decode()
        return summary


def input_documents(files: Sequence[Path]) -> list[InputDocument]:
    """Return the files of a submission in the order in which they are read."""
    return [input_document(file) for file in order_inputs(files)]


def input_document(file: InputFile) -> InputDocument:
    """Return a file as a document to convert."""
    return InputDocument(
        file.name,
        file.digest,
        file.size,
        open=partial(open_input, file),
        require_whole=partial(require_whole, file),
    )


def crew_for(size: int) -> Callable[[], AbstractContextManager[Crew]]:
    """Return who converts so many bytes: this process, or several where starting them is worth it."""
    return partial(in_processes, _finishers()) if size >= WORKERS_FROM_BYTES else here


def _finishers() -> int:
    """Return how many processes finish parts: one of the processors prepares, one decides."""
    return max(1, (os.cpu_count() or 1) - 2)


@contextmanager
def quiet_collector() -> Iterator[None]:
    """Keep Python's cycle collector from walking every row again and again: it costs a third of the time.

    Rows make no cycles; the few that the libraries make for each part stay small.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
