"""Finding adapters: the shipped ones, a city's own, and those that are broken."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.common import CommonAdapter
from gateway.plugins import AdapterUnusable, UnknownAdapter, find_adapter, list_adapters

GOOD = """
class Adapter:
    name = "yunxi"
    platform = "cn-000000/yunxi"
    assembly = None

    def rows(self, document, file, *, source):
        yield from ()

adapter = Adapter()
"""


class Site:
    """A folder on the path into which distributions are put."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def install(self, distribution: str, module: str, *, code: str, entries: str) -> None:
        (self.folder / f"{module}.py").write_text(code, "utf-8")
        info = self.folder / f"{distribution.replace('-', '_')}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n", "utf-8"
        )
        (info / "entry_points.txt").write_text(f"[tanqiao.adapters]\n{entries}\n", "utf-8")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    yield Site(tmp_path)
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_shipped_adapters_are_found_by_name() -> None:
    assert isinstance(find_adapter("common"), CommonAdapter)
    assert find_adapter("shenzhen_transit").platform == "cn-440300/shenzhen"


@pytest.mark.parametrize("how", ["yunxi_module:Adapter", "yunxi_module:adapter"])
def test_adapter_of_a_city_is_found_as_class_or_as_object(site: Site, how: str) -> None:
    site.install("yunxi-tanqiao", "yunxi_module", code=GOOD, entries=f"yunxi = {how}")

    assert find_adapter("yunxi").platform == "cn-000000/yunxi"
    assert ("yunxi", "yunxi-tanqiao") in {(found.name, found.distribution) for found in list_adapters()}


def test_unknown_name_is_refused_with_the_known_ones_and_the_nearest() -> None:
    with pytest.raises(UnknownAdapter) as refused:
        find_adapter("shenzen-transit")

    assert refused.value.nearest == "shenzhen_transit"
    assert refused.value.remedy == "did you mean shenzhen_transit?"
    assert "project_register, shenzhen_transit" in str(refused.value)
    assert refused.value.code == "usage"


def test_name_like_no_other_gets_no_guess() -> None:
    with pytest.raises(UnknownAdapter) as refused:
        find_adapter("qqqq")

    assert refused.value.nearest is None
    assert "install" in refused.value.remedy


@pytest.mark.parametrize(
    ("code", "said"),
    [
        pytest.param("import no_such_module_at_all", "ModuleNotFoundError", id="import fails"),
        pytest.param("raise RuntimeError('boom')", "RuntimeError", id="module raises"),
        pytest.param("", "AttributeError", id="no such class"),
        pytest.param(
            "class Adapter:\n    def __init__(self, folder): ...", "TypeError", id="wants arguments"
        ),
        pytest.param("class Adapter: ...", "has no attribute name", id="no name"),
        pytest.param(GOOD.replace('"yunxi"', '"other"'), "name = 'other'", id="another name"),
        pytest.param(GOOD.replace('"cn-000000/yunxi"', "7"), "platform = 7", id="platform is no text"),
        pytest.param(GOOD.replace("assembly = None", "assembly = 'sort'"), "an Assembly", id="no assembly"),
        pytest.param(GOOD.replace("def rows", "def lines"), "no attribute rows", id="no rows"),
    ],
)
def test_broken_adapter_is_reported_by_name_and_does_not_touch_the_others(
    site: Site, code: str, said: str
) -> None:
    site.install("yunxi-tanqiao", "yunxi_broken", code=code, entries="yunxi = yunxi_broken:Adapter")

    with pytest.raises(AdapterUnusable, match="adapter yunxi: ") as refused:
        find_adapter("yunxi")
    listed = {found.name: found for found in list_adapters()}

    assert said in str(refused.value)
    assert refused.value.code == "adapter-unusable"
    assert listed["yunxi"].adapter is None
    assert listed["yunxi"].fault is not None
    assert listed["common"].adapter is not None
    assert isinstance(find_adapter("common"), CommonAdapter)


def test_name_offered_by_two_distributions_is_refused_with_both(site: Site) -> None:
    site.install("yunxi-one", "yunxi_one", code=GOOD, entries="yunxi = yunxi_one:Adapter")
    site.install("yunxi-two", "yunxi_two", code=GOOD, entries="yunxi = yunxi_two:Adapter")

    with pytest.raises(AdapterUnusable, match=r"yunxi-one .* and yunxi-two"):
        find_adapter("yunxi")
