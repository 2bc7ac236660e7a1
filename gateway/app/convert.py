"""Join the parts of converting."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from gateway.app.home import open_home
from gateway.app.mappings import select_scheme
from gateway.plugins import find_adapter
from gateway.service.catalogue import require_unchanged
from gateway.service.converting import convert_submission
from gateway.service.submission import InputDocument, Submission, Summary
from gateway.store.input_files import open_input, order_inputs

__all__ = ["convert_files"]


def convert_files(
    root: Path,
    files: Sequence[Path],
    *,
    adapter: str,
    mappings: Sequence[str] = (),
    platform: str = "",
    dry_run: bool = False,
    watch: Callable[[int], None] = lambda _rows: None,
) -> Summary:
    """Convert files in a home; see :func:`gateway.service.converting.convert_submission`."""
    found = find_adapter(adapter)
    scheme = select_scheme(found, mappings, platform=platform)
    documents = [
        InputDocument(file.name, file.digest, file.size, partial(open_input, file))
        for file in order_inputs(files)
    ]
    with open_home(root, writing=True) as opened:
        require_unchanged(scheme, opened.journal.mappings())
        submission = Submission(adapter=found, scheme=scheme, documents=documents, dry_run=dry_run)
        summary = convert_submission(submission, opened.converting(), watch=watch)
        summary.checkpoint = opened.log.checkpoint.decode()
        return summary
