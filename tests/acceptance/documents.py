"""Read the documents of the repository as a reader does: headings, links, files to save, commands to run."""

import os
import pty
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

__all__ = ["ROOT", "Block", "anchors", "blocks", "files", "headings", "links", "named", "run"]

ROOT = Path(__file__).resolve().parents[2]
_BLOCK = re.compile(
    r"^(?:`(?P<name>[\w.-]+)`\n)?```(?P<kind>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
_HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
PAGE_SECONDS = 600  # a page waits for services in loops that would never end if one could not start
_BETWEEN = "--- block {} ---"


class Block(NamedTuple):
    """A fenced block: its kind, the file it should be saved as, its text."""

    kind: str
    name: str
    text: str


def blocks(page: Path) -> list[Block]:
    """Return the fenced blocks of a page in order."""
    found = _BLOCK.finditer(page.read_text("utf-8"))
    return [Block(one["kind"], one["name"] or "", one["text"]) for one in found]


def named(page: Path) -> dict[str, str]:
    """Return the texts that a page names, without the line end of the last line."""
    return {block.name: block.text.removesuffix("\n") for block in blocks(page) if block.name}


def headings(page: Path) -> list[tuple[int, str]]:
    """Return level and text of each heading outside of fenced blocks."""
    text = _BLOCK.sub("", page.read_text("utf-8"))
    return [(len(marks), words) for marks, words in _HEADING.findall(text)]


def anchors(page: Path) -> set[str]:
    """Return the anchors that a page offers, made from its headings as GitHub makes them."""
    kept = (re.sub(r"[^\w\- ]", "", words.lower()) for _, words in headings(page))
    return {words.replace(" ", "-") for words in kept}


def links(page: Path) -> list[str]:
    """Return the targets of a page's links that stay inside the repository."""
    text = _BLOCK.sub("", page.read_text("utf-8"))
    return [target for target in _LINK.findall(text) if "://" not in target]


def files(page: Path, folder: Path) -> None:
    """Save the files that a page shows, as it tells the reader to."""
    for block in blocks(page):
        if block.name:
            (folder / block.name).write_text(block.text, "utf-8")


def run(page: Path, folder: Path, *, environment: dict[str, str]) -> Iterator[tuple[Block, str]]:
    """Run all commands of a page in one shell on a terminal; yield each block with what it printed.

    ``make`` is left out: what it would install is here already.
    """
    commands = [block for block in blocks(page) if block.kind == "sh"]
    script = "set -e\n" + "".join(
        f"{_without_make(block.text)}echo '{_BETWEEN.format(number)}'\n"
        for number, block in enumerate(commands)
    )
    command = ["timeout", "--foreground", "--kill-after=5", str(PAGE_SECONDS), "bash", "-c", script]
    code, printed = _on_terminal(command, folder, environment)
    assert code == 0, f"{page.name} stopped with {code}:\n{printed[-3000:]}"
    for number, block in enumerate(commands):
        mine, _, printed = printed.partition(_BETWEEN.format(number))
        yield block, mine


def _without_make(text: str) -> str:
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith("make "))


def _on_terminal(command: list[str], folder: Path, environment: dict[str, str]) -> tuple[int, str]:
    """Run a command whose output goes to a terminal, so that it looks as it does to a reader."""
    reader, writer = pty.openpty()
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=writer,
        stderr=writer,
    )
    os.close(writer)
    printed = bytearray()
    while data := _read(reader):
        printed += data
    os.close(reader)
    text = printed.decode("utf-8", "replace").replace("\r\n", "\n")
    return process.wait(), re.sub(r"\r|\x1b\[[0-9;]*[A-Za-z]", "", text)


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # on Linux a terminal whose other side is closed ends with an error
        return b""
