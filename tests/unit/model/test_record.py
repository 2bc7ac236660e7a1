"""How amounts are written, and how a schema names what does not fit."""

from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import MalformedDocument
from gateway.model.canonical import canonical_bytes
from gateway.model.codes import EVIDENCE_GRADES, OWNERSHIPS
from gateway.model.record import (
    RECORDED_MAX,
    RecordColumns,
    RecordFrame,
    RecordRow,
    record_document,
    scaled_text,
    write_records,
)
from gateway.model.shape import Shape
from gateway.resources import schema

FRAME = RecordFrame(
    issuer="gw.example",
    platform="cn-420100/wuhan",
    issued="2026-11-22T05:00:00Z",
    mapping_id="cn-420100/wuhan/travel",
    mapping_version=2,
    mapping_digest="sha256:" + "ab" * 32,
    points_unit="cn-420100/wuhan-point",
    points_kind="gram",
)
ROW = RecordRow(
    id="0" * 32,
    event="1" * 64,
    subject="2" * 64,
    day="2025-03-16",
    behaviour="TRV-METRO",
    inputs={"distance": {"value": "10.574", "unit": "km"}},
    evidence="operator-record",
    ownership="personal",
    co2e_mg=829002,
    points_uncapped=829,
    points=200,
    claimed_mg=None,
    claimed_points=None,
)


@pytest.mark.parametrize(
    ("scaled", "scale", "text"),
    [
        (10574, 3, "10.574"),
        (0, 3, "0.000"),
        (5, 3, "0.005"),
        (-5, 3, "-0.005"),
        (-10574, 3, "-10.574"),
        (1000, 3, "1.000"),
        (7, 0, "7"),
        (-7, 0, "-7"),
        (10**18, 1, "1" + "0" * 17 + ".0"),
    ],
)
def test_a_scaled_integer_is_written_with_exactly_its_places(scaled: int, scale: int, text: str) -> None:
    assert scaled_text(scaled, scale) == text


@given(st.integers(-(10**30), 10**30), st.integers(1, 18))
def test_a_written_amount_reads_back(scaled: int, scale: int) -> None:
    text = scaled_text(scaled, scale)
    whole, _, places = text.partition(".")

    assert len(places) == scale
    assert int(whole + places) == scaled


def test_claims_stand_in_a_record_only_where_the_platform_made_them() -> None:
    assert "claimed" not in record_document(FRAME, ROW)
    assert record_document(FRAME, ROW._replace(claimed_mg=0))["claimed"] == {"co2e_mg": "0"}
    assert record_document(FRAME, ROW._replace(claimed_points=7))["claimed"] == {"points": "7"}


def test_a_record_fits_its_schema() -> None:
    Shape(schema("record")).require(record_document(FRAME, ROW), "record")


@pytest.mark.parametrize(
    ("member", "value", "pointer"),
    [
        ("day", "2025-3-16", "/day"),
        ("evidence", "hearsay", "/evidence"),
        ("reduction", {"co2e_mg": "01"}, "/reduction/co2e_mg"),
        ("reduction", {"co2e_mg": 1}, "/reduction/co2e_mg"),
        ("reduction", {"co2e_mg": "-1"}, "/reduction/co2e_mg"),
        ("points", {"unit": "u", "kind": "gram", "uncapped": "1"}, "/points"),
        ("event", "1" * 63, "/event"),
        ("inputs", {"distance": {"value": "1"}}, "/inputs/distance"),
        ("place", "Wuhan", "/"),
    ],
)
def test_what_does_not_fit_is_named_by_pointer(member: str, value: Any, pointer: str) -> None:
    with pytest.raises(MalformedDocument) as refused:
        Shape(schema("record")).require({**record_document(FRAME, ROW), member: value}, "record")

    assert refused.value.field == pointer
    assert f"record: {pointer}" in str(refused.value)


ROWS = st.builds(
    RecordRow,
    id=st.text("0123456789abcdef", min_size=32, max_size=32),
    event=st.text("0123456789abcdef", min_size=64, max_size=64),
    subject=st.text("0123456789abcdef", min_size=64, max_size=64),
    day=st.dates().map(str),
    behaviour=st.sampled_from(["TRV-METRO", "LIV-ELEC-SAVE"]),
    inputs=st.dictionaries(
        st.text("abcxyz_", min_size=1),
        st.fixed_dictionaries({"value": st.just("1.5"), "unit": st.just("千米")}),
    ),
    evidence=st.sampled_from(EVIDENCE_GRADES),
    ownership=st.sampled_from(OWNERSHIPS),
    co2e_mg=st.integers(0, RECORDED_MAX),
    points_uncapped=st.integers(0, RECORDED_MAX),
    points=st.integers(0, RECORDED_MAX),
    claimed_mg=st.none() | st.integers(-RECORDED_MAX, RECORDED_MAX),
    claimed_points=st.none() | st.integers(-RECORDED_MAX, RECORDED_MAX),
)


@given(
    st.lists(ROWS, min_size=1, max_size=3),
    st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=8),
)
def test_the_quick_writer_gives_the_canonical_bytes_of_the_documents(
    rows: list[RecordRow], text: str
) -> None:
    frame = RecordFrame(
        "gw " + text, "cn-420100/wuhan", "2026-11-22T05:00:00Z", text, 3, "sha256:" + text, text, "gram"
    )

    columns = RecordColumns(*zip(*rows, strict=True))

    written = write_records(
        frame, columns._replace(inputs=[canonical_bytes(row.inputs).decode() for row in rows])
    )

    assert written == [canonical_bytes(record_document(frame, row)) for row in rows]
    assert written == [rfc8785.dumps(record_document(frame, row)) for row in rows]
