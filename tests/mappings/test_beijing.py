"""The rules from Beijing to Pu'er and of national apps, said once more in other words."""

from collections.abc import Iterator
from datetime import date, timedelta
from fractions import Fraction
from functools import cache
from itertools import product
from math import floor
from pathlib import Path
from random import Random

import pytest

from gateway import resources
from gateway.convert.document import from_canonical, value_at
from gateway.convert.interpret import Interpreter
from gateway.convert.load import load_program
from gateway.convert.outcome import Converted, Refusal
from gateway.convert.program import Program
from gateway.convert.selftest import source_fields

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = dict(resources.shipped_mappings())
SCHEMA = resources.schema("mapping")
MAAS, NO_DRIVE = "cn-110000-maas/travel.v1.yaml", "cn-110000-no-drive/reward.v1.yaml"
TENANTS = {
    "110000": "cn-110000-green-life/acts.v1.yaml",
    "140000": "cn-140000-sanjin/acts.v1.yaml",
    "150600": "cn-150600-ordos/acts.v1.yaml",
    "230100": "cn-230100-harbin/acts.v1.yaml",
    "340100": "cn-340100-hefei/acts.v1.yaml",
    "371100": "cn-371100-rizhao/acts.v1.yaml",
    "510500": "cn-510500-lvya/acts.v1.yaml",
    "530800": "cn-530800-puer/acts.v1.yaml",
}
UNPUBLISHED = (
    "cn-110000-jingjinji/travel.v1.yaml",
    "cn-110000-low-carbon-olympics/acts.v1.yaml",
    "cn-110000-travel-insurance/redemption.v1.yaml",
    *(TENANTS[code] for code in ("150600", "230100", "340100", "371100", "530800")),
)


@cache
def load(name: str) -> Program:
    return load_program(SHIPPED[name], SCHEMA, name=name)


def convert(name: str, given: dict[str, str]) -> Converted | Refusal:
    program = load(name)
    return Interpreter(program).convert(source_fields(program, dict(given), label="e", person="p"))


def worth(name: str, given: dict[str, str]) -> tuple[Fraction, int]:
    """Return grams and points of a row that must be converted."""
    outcome = convert(name, given)
    assert isinstance(outcome, Converted), outcome
    return Fraction(outcome.co2e_mg, 1000), outcome.points


def refused(name: str, given: dict[str, str]) -> str:
    outcome = convert(name, given)
    assert isinstance(outcome, Refusal), outcome
    return outcome.code


def numbers(seed: str, top: int, places: int) -> Iterator[str]:
    """Yield a few decimals of so many places, from just above zero to the top."""
    random = Random(seed)
    unit = 10**places
    for _ in range(40):
        whole, part = divmod(random.randrange(1, top * unit), unit)
        yield f"{whole}.{part:0{places}d}" if places else str(whole)


def down(value: Fraction, places: int) -> Fraction:
    return Fraction(floor(value * 10**places), 10**places)


@pytest.mark.parametrize(
    ("engine", "fen"),
    [
        ("0", 20),
        ("0.998", 50),
        ("1.6", 50),
        ("1.601", 60),
        ("1.8", 60),
        ("2.5", 60),
        ("2.501", 70),
        ("4.0", 70),
    ],
)
def test_each_whole_24_hours_without_driving_pay_by_the_engine(engine: str, fen: int) -> None:
    for hours in ("0.5", "23.99", "24", "47.99", "48", "200.5", *numbers(engine, 720, 2)):
        ended = date(2017, 7, 3) + timedelta(days=31)
        given = {
            "停驶开始时间": "2017-07-03 00:00:00",
            "停驶结束时间": f"{ended} 00:00:00",
            "停驶小时": hours,
            "排量(升)": engine,
            "开始里程(公里)": "35210",
            "结束里程(公里)": "35210",
        }
        assert worth(NO_DRIVE, given) == (0, int(Fraction(hours) // 24) * fen)


@pytest.mark.parametrize(
    ("mode", "day", "per_km"),
    [
        ("步行", "2024-05-06", "300"),
        ("骑行", "2026-11-22", "267"),
        ("地铁", "2020-09-11", "210.4"),
        ("地铁", "2021-12-31", "210.4"),
        ("地铁", "2022-01-01", "244.4"),
    ],
)
def test_a_km_of_beijing_counts_by_mode_and_day(mode: str, day: str, per_km: str) -> None:
    claimed = date.fromisoformat(day) + timedelta(days=2)
    for km in numbers(mode + day, 150, 3):
        given = {"mode": mode, "owner": "个人", "distance_km": km, "start_time": f"{day}T12:00:00+08:00"}
        grams = down(Fraction(km) * Fraction(per_km), 1)
        assert worth(MAAS, given | {"claim_time": f"{claimed}T12:00:00+08:00"}) == (grams, floor(grams))


@pytest.mark.parametrize(("start", "claim"), list(product((0, 23), repeat=2)))
def test_a_metro_ride_is_claimed_on_the_third_to_the_ninth_day(start: int, claim: int) -> None:
    found = []
    for after in range(12):
        day = date(2023, 5, 6) + timedelta(days=after)
        outcome = convert(
            MAAS,
            {
                "mode": "地铁",
                "owner": "个人",
                "distance_km": "1",
                "start_time": f"2023-05-06T{start:02}:59:59+08:00",
                "claim_time": f"{day}T{claim:02}:59:59+08:00",
            },
        )
        found.append("" if isinstance(outcome, Converted) else outcome.code)

    assert found[2:] == [""] * 7 + ["late"] * 3
    assert found[1] == "early"


def test_luzhou_counts_grams_in_proportion_and_points_for_what_is_whole() -> None:
    name = TENANTS["510500"]
    for steps in (*numbers("steps", 100_000, 0), "500", "999", "1000"):
        given = {"sceneCode": "510500.步行", "steps": steps, "occurTime": "2024-10-10 00:00:00"}
        if Fraction(steps) >= 7:
            wanted = down(Fraction(steps) / 500 * Fraction("8.2"), 1), int(steps) // 500
            assert worth(name, given) == wanted
    for weight in numbers("clothes", 200, 2):
        given = {"sceneCode": "510500.旧衣回收", "weightKg": weight, "occurTime": "2024-10-10 00:00:00"}
        assert worth(name, given) == (down(Fraction(weight) * 1280, 1), floor(Fraction(weight) * 30))


@pytest.mark.parametrize(
    ("name", "given", "grams", "points"),
    [
        (TENANTS["110000"], {"sceneCode": "110000.公交出行", "occurTime": "2023-06-05 08:00:00"}, "80", 0),
        (TENANTS["110000"], {"sceneCode": "110000.无需餐具", "occurTime": "2026-06-05 08:00:00"}, "23", 0),
        (
            TENANTS["140000"],
            {"sceneCode": "140000.新能源车充电", "chargeKwh": "12.5", "occurTime": "2022-12-01 08:00:00"},
            "5750",
            0,
        ),
        (TENANTS["510500"], {"sceneCode": "510500.公交出行", "occurTime": "2024-06-05 08:00:00"}, "80", 10),
        (
            "cn-000000-cainiao/parcel.v1.yaml",
            {"回收类型": "纸箱", "回收时间": "2024-06-05 08:00:00"},
            "37",
            50,
        ),
        (
            "cn-000000-eleme/cutlery.v1.yaml",
            {"green_type": "no_tableware", "created_at": "2022-06-05T08:00:00+08:00"},
            "15.94",
            0,
        ),
        ("cn-430000-youji/energy.v1.yaml", {"行为类型": "公交出行", "行为日期": "20220910"}, "98", 98),
    ],
)
def test_an_act_of_one_kind_has_one_value(name: str, given: dict[str, str], grams: str, points: int) -> None:
    assert worth(name, given) == (Fraction(grams), points)


@pytest.mark.parametrize(
    ("tenant", "other"), [pair for pair in product(TENANTS, repeat=2) if len(set(pair)) == 2]
)
def test_no_tenant_counts_the_scene_of_another(tenant: str, other: str) -> None:
    scene = next(row.code for row in load(TENANTS[other]).source.code_tables["scene"])
    given = {"sceneCode": scene, "occurTime": "2024-10-10 12:00:00"}

    assert refused(TENANTS[tenant], given) == "unknown-code"


@pytest.mark.parametrize("name", UNPUBLISHED)
def test_a_platform_without_figures_holds_none(name: str) -> None:
    document = from_canonical(load(name).canonical).value

    assert load(name).status == "unpublished"
    assert [value_at(document, part) for part in ("/factors", "/tables", "/formula")] == [None] * 3


def test_energy_for_walking_is_engagement_and_a_box_has_two_figures() -> None:
    walking, box = load("cn-000000-antforest/energy.v1.yaml"), load("cn-000000-cainiao/parcel.v1.yaml")

    assert (walking.kind, box.kind) == ("engagement", "per_act")
    assert walking.unit == box.unit == "cn-000000/antforest-energy"


def test_figures_that_could_not_be_verified_are_in_no_shipped_mapping() -> None:
    unverified = ('"0.104"', '"104"', '"0.052"', '"52"', '"0.032"', '"32"', '"0.0087"', '"8.7"')
    for name in UNPUBLISHED:
        assert not any(value in SHIPPED[name].decode() for value in unverified), name


def test_the_page_of_these_mappings_names_each_of_them() -> None:
    page = (ROOT / "docs" / "reference" / "beijing.md").read_text("utf-8")
    regions = ("cn-000000", "cn-430000", *(f"cn-{code}" for code in TENANTS))

    assert [name for name in SHIPPED if name[:9] in regions and f"`{load(name).id}`" not in page] == []
