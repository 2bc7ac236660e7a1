"""Opening pages in Chromium from the disk; without it a test is skipped, and told what is missing."""

import json
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

import pytest

__all__ = ["PageOpener", "missing_for_browser", "page_opener"]

_PROJECT = Path(__file__).parent / "pages"
_NAMES = ("chromium", "chromium-browser", "google-chrome")


class PageOpener(Protocol):
    """Open pages of a folder in three looks; what was seen of each."""

    def __call__(self, folder: Path, pages: Iterable[str]) -> list[dict[str, Any]]:
        """Open pages by their paths below the folder."""
        ...


def missing_for_browser() -> str:
    """Say what is missing to open pages, or return an empty text."""
    if shutil.which("node") is None:
        return "Node.js is not here: make test-deps"
    if _chromium() is None:
        return "Chromium is not here: make test-deps"
    if not (_PROJECT / "node_modules" / ".package-lock.json").is_file():
        return (
            f"the packages of {_PROJECT.relative_to(_PROJECT.parents[2])} are not installed: make test-deps"
        )
    return ""


def _chromium() -> str | None:
    return next((found for name in _NAMES if (found := shutil.which(name))), None)


@pytest.fixture(scope="session")
def page_opener() -> PageOpener:
    """Return a function that opens pages, or skip."""
    missing = missing_for_browser()
    if missing:
        pytest.skip(missing)

    def open_pages(folder: Path, pages: Iterable[str]) -> list[dict[str, Any]]:
        command = ["node", str(_PROJECT / "open.mjs"), str(_chromium()), str(folder), *pages]
        done = subprocess.run(command, capture_output=True, text=True, timeout=600)
        assert (done.returncode, done.stderr) == (0, "")
        return [json.loads(line) for line in done.stdout.splitlines()]

    return open_pages
