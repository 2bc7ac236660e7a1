"""Files as their form is assumed in Beijing, at a tenant, a bank and an app: from bytes to the audit."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.fakes.exports import require_sound
from tests.fakes.homes import convert, make_home

NO_DRIVE = "车辆编号,用户编号,停驶开始时间,停驶结束时间,停驶小时,排量(升),开始里程(公里),结束里程(公里)"
YOUJI = "流水号,客户编号,行为日期,行为类型,步数"
PARCEL = "驿站编号,回收单号,用户编号,回收时间,回收类型"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return make_home(tmp_path, monkeypatch, profile="default")


def table(folder: Path, header: str, *rows: str, encoding: str) -> Path:
    path = folder / "export.csv"
    path.write_text("\r\n".join((header, *rows)) + "\r\n", encoding)
    return path


def lines(folder: Path, rows: Sequence[dict[str, str]]) -> Path:
    path = folder / "export.ndjson"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return path


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8"])
def test_days_without_driving_are_rewarded_in_fen(home: Path, tmp_path: Path, encoding: str) -> None:
    file = table(
        tmp_path,
        NO_DRIVE,
        "京A1,甲,2017-07-03 00:00:00,2017-07-05 12:00:00,60,1.6,35210,35210",
        "京A2,乙,2017-07-03 00:00:00,2017-07-04 00:00:00,24,0,120,120",
        "京A3,丙,2017-07-03 00:00:00,2017-07-04 00:00:00,24,3.0,35210,35218",
        "京A4,丁,2017-07-03 00:00:00,2017-07-04 00:00:00,48,3.0,35210,35210",
        encoding=encoding,
    )

    counts = convert(home, file, mapping="cn-110000/no-drive/reward")

    require_sound(home, counts)
    assert (counts.accepted, counts.co2e_mg, counts.points) == (2, 0, 2 * 50 + 20)
    assert counts.rejected == {"implausible": 2}


def test_rides_that_are_not_claimed_in_time_are_set_aside(home: Path, tmp_path: Path) -> None:
    ride = {"account_id": "u1", "mode": "地铁", "owner": "个人", "distance_km": "10"}
    claims = {
        "A": "2023-05-07T23:59:59+08:00",
        "B": "2023-05-08T00:00:00+08:00",
        "C": "2023-05-15T00:00:00+08:00",
    }
    rides = [
        ride | {"trip_no": number, "start_time": "2023-05-06T08:00:00+08:00", "claim_time": claim}
        for number, claim in claims.items()
    ]
    unclaimed = ride | {"trip_no": "D", "start_time": "2023-05-06T08:00:00+08:00"}
    bus = rides[1] | {"trip_no": "E", "mode": "公交"}
    walk = ride | {"trip_no": "F", "mode": "步行", "start_time": "2024-05-06T08:00:00+08:00"}

    counts = convert(home, lines(tmp_path, [*rides, unclaimed, bus, walk]), mapping="cn-110000/maas/travel")

    require_sound(home, counts)
    assert (counts.accepted, counts.co2e_mg, counts.points) == (2, 2_444_000 + 3_000_000, 2_444 + 3_000)
    assert counts.rejected == {"early": 1, "late": 1, "unclaimed": 1, "unmapped": 1}


def test_a_tenant_counts_no_scene_of_another(home: Path, tmp_path: Path) -> None:
    rows = [
        {"recordNo": str(number), "userId": "u1", "sceneCode": scene, "occurTime": "2024-10-10 12:00:00"}
        for number, scene in enumerate(("510500.光盘行动", "110000.光盘行动", "510500.机动车停驶"))
    ]

    counts = convert(home, lines(tmp_path, rows), mapping="cn-510500/lvya/acts")

    require_sound(home, counts)
    assert (counts.accepted, counts.co2e_mg, counts.points) == (1, 144_000, 5)
    assert counts.rejected == {"unknown-code": 1, "unmapped": 1}


def test_a_platform_without_figures_counts_nothing_and_drops_nothing(home: Path, tmp_path: Path) -> None:
    rows = [
        {"record_id": str(number), "user_id": "u1", "act": act, "act_time": "2022-02-04 12:00:00"}
        for number, act in enumerate(("步行", "光盘行动", "冬奥答题"))
    ]

    counts = convert(home, lines(tmp_path, rows), mapping="cn-110000/low-carbon-olympics/acts")

    require_sound(home, counts)
    assert (counts.accepted, counts.co2e_mg, counts.points) == (0, 0, 0)
    assert counts.rejected == {"unmapped": 3}


def test_walking_energy_of_a_day_is_capped_and_reduces_nothing(home: Path, tmp_path: Path) -> None:
    rows = [
        {"user_id": person, "biz_date": "2019-06-05", "scene": "行走", "steps": steps}
        for person, steps in (("u1", "10000"), ("u2", "20000"), ("u3", "14799"))
    ]

    counts = convert(home, lines(tmp_path, rows), mapping="cn-000000/antforest/energy")

    require_sound(home, counts)
    assert (counts.accepted, counts.co2e_mg, counts.points) == (3, 0, 200 + 296 + 295)


@pytest.mark.parametrize(
    ("mapping", "header", "rows", "totals"),
    [
        (
            "cn-430000/youji/energy",
            YOUJI,
            ("1,甲,20220910,步行,10000", "2,甲,20220910,公交出行,"),
            (354_000, 354),
        ),
        ("cn-000000/cainiao/parcel", PARCEL, ("S1,1,甲,2023-06-05 18:30:00,纸箱",), (37_000, 50)),
    ],
)
def test_a_table_in_the_chinese_encoding_is_read(
    home: Path, tmp_path: Path, *, mapping: str, header: str, rows: tuple[str, ...], totals: tuple[int, int]
) -> None:
    counts = convert(home, table(tmp_path, header, *rows, encoding="gb18030"), mapping=mapping)

    require_sound(home, counts)
    assert (counts.accepted, counts.co2e_mg, counts.points) == (len(rows), *totals)
