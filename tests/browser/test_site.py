"""The site of mappings in a browser: nothing from outside, readable in the dark and on a phone."""

from datetime import date
from pathlib import Path

import pytest

from gateway.app.reviewing.site import write_site
from tests.browser.opener import PageOpener

pytestmark = pytest.mark.browser
MAPPINGS = Path(__file__).parents[1] / "mappings"
PAGES = (
    "index.html",
    "compare.html",
    "lineage.html",
    "mappings/cn-420100-wuhan-travel.v2.html",
    "mappings/cn-000000-yunxi-metro-bike.v3.html",
)


def test_pages_open_from_the_disk_and_are_accessible(page_opener: PageOpener, tmp_path: Path) -> None:
    write_site(tmp_path / "site", [MAPPINGS / "yunxi.v3.yaml"], on=date(2026, 11, 22))

    seen = page_opener(tmp_path / "site", PAGES)

    assert {(one["look"], one["path"]) for one in seen} == {
        (look, path) for look in ("light", "dark", "narrow") for path in PAGES
    }
    for one in seen:
        where = f"{one['path']} {one['look']}"
        outside = [url for url in one["requests"] if not url.startswith(f"file://{tmp_path}/site/")]
        assert outside == [], where
        assert one["console"] == [], where
        assert one["violations"] == [], where
        assert one["passes"] > 10, where
        assert (one["styled"], one["overflow"]) == (True, 0), where
        assert one["first"] == "#main", where
        assert one["tallest"] < 160, f"a row of {where} is squeezed into a tower"
