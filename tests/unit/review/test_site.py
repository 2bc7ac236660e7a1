"""The site of mappings: a page for each, what a mapping says is escaped, links lead somewhere."""

import re
from datetime import date
from pathlib import Path

import pytest

from gateway.app.base.mappings import shipped_programs
from gateway.app.reviewing.site import write_site
from gateway.errors import LocalFileError
from gateway.resources import page_templates
from tests.acceptance.commands import tanqiao
from tests.unit.convert_front.documents import YUNXI, edited

ON = date(2026, 11, 22)
SHAPES = sorted((Path(__file__).parents[2] / "mappings" / "shapes").glob("*.yaml"))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("docs")
    write_site(folder / "site", SHAPES, on=ON)
    return folder / "site"


def test_every_shipped_mapping_has_a_page_with_its_title_digest_and_figures(site: Path) -> None:
    for program in shipped_programs():
        text = (site / f"mappings/{program.id.replace('/', '-')}.v{program.version}.html").read_text("utf-8")

        assert program.title_zh in text
        assert f"sha256:{program.digest}" in text
        assert "测试" in text
        assert "failed" not in text


def test_links_of_every_page_lead_to_a_file_and_an_anchor(site: Path) -> None:
    pages = sorted(site.rglob("*.html"))
    texts = {page: page.read_text("utf-8") for page in pages}

    assert len(pages) == 3 + len(shipped_programs()) + len(SHAPES)
    for page, text in texts.items():
        for target in re.findall(r'(?:href|src)="([^"]+)"', text):
            if target.startswith("http"):
                continue
            path, _, anchor = target.partition("#")
            found = (page.parent / path).resolve() if path else page
            assert found.is_file(), (page, target)
            assert not anchor or f'id="{anchor}"' in found.read_text("utf-8"), (page, target)


def test_pages_allow_no_script_and_no_style_of_their_own(site: Path) -> None:
    for page in site.rglob("*.html"):
        text = page.read_text("utf-8")

        assert "default-src 'none'; style-src 'self'; img-src 'self'" in text
        assert not re.search(r"<script|<style|<form|<iframe|\sstyle=|\son[a-z]+=", text), page
        assert "非官方" in text
        assert "Not official" in text


def test_what_a_mapping_says_is_escaped(tmp_path: Path) -> None:
    hostile = tmp_path / "h.yaml"
    hostile.write_text(
        edited(YUNXI, ("en: Yunxi green travel", 'en: "<script>alert(1)</script>"')), encoding="utf-8"
    )

    write_site(tmp_path / "site", [hostile], on=ON)

    for page in (tmp_path / "site").rglob("*.*"):
        assert "<script" not in page.read_text("utf-8"), page
    assert "&lt;script&gt;" in (tmp_path / "site/mappings/cn-000000-yunxi-metro-bike.v3.html").read_text(
        "utf-8"
    )


def test_the_same_documents_give_the_same_site(site: Path, tmp_path: Path) -> None:
    write_site(tmp_path / "again", SHAPES, on=ON)

    def files(folder: Path) -> dict[str, bytes]:
        return {
            str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.*") if path.is_file()
        }

    assert files(tmp_path / "again") == files(site)


def test_a_folder_with_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear sir")

    with pytest.raises(LocalFileError):
        write_site(tmp_path, [], on=ON)

    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_commands_of_reviewing_run(tmp_path: Path) -> None:
    wuhan = "cn-420100/wuhan/travel"

    made = tanqiao("mapping", "docs", "--into", tmp_path / "site", "--on", "2026-11-22")
    table = tanqiao("mapping", "compare", "--format", "csv", "--lang", "en", "--plot", tmp_path / "bars.svg")
    same = tanqiao("mapping", "diff", f"{wuhan}@2", wuhan)
    early = tanqiao("mapping", "diff", f"{wuhan}@1", f"{wuhan}@2", "--as-of", "2024-08-01")
    late = tanqiao(
        "mapping", "diff", f"{wuhan}@1", f"{wuhan}@2", "--as-of", "2026-11-22", "--format", "table"
    )

    assert [done.returncode for done in (made, table, same, early, late)] == [0, 0, 0, 0, 1]
    assert (
        "one kilometre by bicycle,cn-420100/wuhan,cn-420100/wuhan/travel,2,press,93.3,93,1 km" in table.stdout
    )
    assert (tmp_path / "bars.svg").read_text("utf-8").startswith("<svg")
    assert "2 changes are retroactive" in late.stderr
    assert tanqiao("mapping", "diff", wuhan, f"{wuhan}@9").returncode == 2
    assert tanqiao("mapping", "diff", wuhan, wuhan, "--as-of", "soon").returncode == 2


def test_templates_are_shipped() -> None:
    assert {"base.html", "index.html", "mapping.html", "site.css"} <= set(page_templates("review"))
