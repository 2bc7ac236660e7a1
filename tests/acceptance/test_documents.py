"""The documents say what is true: their commands run, their links lead somewhere, their lists are complete."""

import os
import re
import sys
from pathlib import Path

import pytest

from tests.acceptance.documents import ROOT, anchors, blocks, files, headings, links, run

READMES = (ROOT / "README.md", ROOT / "README.zh-CN.md")
HOWTOS = tuple(page for page in sorted((ROOT / "docs/howto").glob("*.md")) if page.name != "first-adapter.md")
PAGES = (*ROOT.glob("*.md"), *sorted((ROOT / "docs").rglob("*.md")))


def _name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A reader's shell: the virtual environment first in the path, nothing else of this process."""
    tools = Path(sys.executable).parent
    return {
        "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "TANQIAO_STATE": str(tmp_path / "state"),
        "LANG": "C.UTF-8",
        "TERM": "xterm",
    }


@pytest.mark.parametrize("page", (*READMES, *HOWTOS), ids=_name)
def test_commands_of_a_page_run_and_print_what_it_shows(
    page: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    """A reader stands in the root of a checkout, so that the shipped mappings are there."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    (folder / "mappings").symlink_to(ROOT / "mappings")
    files(page, folder)

    printed = {block: text for block, text in run(page, folder, environment=environment)}

    shown = blocks(page)
    for before, block in zip(shown, shown[1:], strict=False):
        if block.kind == "output":
            rest = printed[before]
            for line in block.text.splitlines():
                assert line in rest, f"{line!r} is not in:\n{printed[before]}"
                rest = rest.partition(line)[2]


@pytest.mark.parametrize("page", READMES, ids=_name)
def test_make_targets_of_a_readme_exist(page: Path) -> None:
    text = page.read_text("utf-8")
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))

    asked = set(re.findall(r"(?:^|`)make ([a-z-]+)", text, re.MULTILINE))

    assert {"demo", "test"} <= asked
    assert asked <= targets


def test_readmes_keep_step() -> None:
    english, chinese = READMES

    assert [level for level, _ in headings(english)] == [level for level, _ in headings(chinese)]
    assert _commands(english) == _commands(chinese)
    assert sorted(set(links(english)) - {"README.zh-CN.md"}) == sorted(set(links(chinese)) - {"README.md"})


def _commands(page: Path) -> list[str]:
    """Return the commands of a page; in which language they answer may differ."""
    return [re.sub(r"--lang \w+", "--lang", block.text) for block in blocks(page) if block.kind == "sh"]


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_links_of_a_page_lead_somewhere(page: Path) -> None:
    for target in links(page):
        path, _, anchor = target.partition("#")
        found = (page.parent / path).resolve() if path else page

        assert found.exists(), f"{target} does not exist"
        assert not anchor or anchor in anchors(found), f"{target}: no such heading"
