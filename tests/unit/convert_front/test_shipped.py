"""Shipped files are found, and the check of shipped mappings can fail."""

import pytest

from gateway import resources
from gateway.errors import LocalFileError
from tools import check_mappings


def test_schemas_and_mappings_are_found() -> None:
    assert resources.schema("mapping")["title"] == "Mapping document, mapping/1"
    assert "cn-420100-wuhan/travel.v1.yaml" in dict(resources.shipped_mappings())


def test_a_schema_that_was_not_shipped_is_named() -> None:
    with pytest.raises(LocalFileError, match="expected the schema nothing at"):
        resources.schema("nothing")


def test_the_shipped_mappings_pass_the_check(capsys: pytest.CaptureFixture[str]) -> None:
    assert check_mappings.main() == 0
    count = len(list(resources.shipped_mappings()))
    assert capsys.readouterr().out == f"mappings: ok ({count} checked)\n"


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("status: press", "status: pressed", "/travel.v1.yaml:7:9 schema: expected one of"),
        ("status: press", "status: illustrative", "expected a mapping with sources, got status illustrative"),
        (
            "version: 1\n",
            "version: 2\nsupersedes: 1\n",
            "expected the file name cn-420100-wuhan/travel.v2.yaml",
        ),
        (
            'expect: {reduction: "150", points: "150"}',
            'expect: {reduction: "151"}',
            "expected reduction 151, got 150",
        ),
        (
            'distance_km: "300.001", start_time: "2023-06-05T08:00:00+08:00"},\n     reject: out-of-bounds',
            'distance_km: "0.0001", start_time: "2023-06-05T08:00:00+08:00"},\n     reject: excess-digits',
            "no test touches rejection out-of-bounds",
        ),
    ],
)
def test_a_faulty_mapping_fails_the_check(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    old: str,
    new: str,
    fault: str,
) -> None:
    name = "cn-420100-wuhan/travel.v1.yaml"
    text = dict(resources.shipped_mappings())[name]
    assert old.encode() in text
    # the check reads what is shipped; there is no other way to ship it something else
    monkeypatch.setattr(
        resources, "shipped_mappings", lambda: iter([(name, text.decode().replace(old, new).encode())])
    )

    assert check_mappings.main() == 1
    assert fault in capsys.readouterr().out
