"""The sandbox cities and their rules; every figure is invented, so only a test home admits their mappings.

They differ as real cities do: what a cycled kilometre is worth, whether points are grams or are granted per
ride, how many grams a point is, whether points lapse.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from gateway.errors import UsageError
from gateway.sandbox.yunxi import YUNXI_MAPPING

__all__ = ["CITIES", "City", "Columns", "city_named"]


class Columns(NamedTuple):
    """What a city calls the members of a ride, and the kinds of rides, in its own files."""

    ride: str = "ride"
    user: str = "user"
    mode: str = "mode"
    km: str = "km"
    start: str = "start"
    modes: tuple[str, ...] = ("bike", "metro", "bus")


class City(NamedTuple):
    """One invented city. Figures are grams of CO2e a kilometre; ``gram_per_point`` empty: points per ride.

    ``asks``: each move needs the resident's own consent at the platform.
    """

    name: str
    zh: str
    bike: str = ""
    metro: str = ""
    bus: str = ""
    gram_per_point: str = ""
    cap: int = 0
    expiry: str = ""
    asks: bool = False
    columns: Columns = Columns()

    @property
    def platform(self) -> str:
        """Return the platform's id."""
        return f"cn-000000/{self.name}"

    @property
    def unit(self) -> str:
        """Return the name of its points."""
        return f"{self.platform}-point"

    @property
    def mapping(self) -> str:
        """Return its mapping document."""
        if not self.cap:
            return YUNXI_MAPPING
        grams = self.gram_per_point
        rate = (
            ("gram_per_point", f"gCO2e/{self.unit}", grams)
            if grams
            else ("points_per_ride", f"{self.unit}/trip", "3")
        )
        return _MAPPING.format(
            city=self,
            kind="gram" if grams else "per_act",
            points="reduction / gram_per_point" if grams else "rides * points_per_ride",
            rate=rate,
            rides="" if grams else _RIDES,
            expiry=f"\n  expiry: {{after: {self.expiry}, from: activity_start, at: end_of_local_day}}"
            if self.expiry
            else "",
        )


_RIDES: Final = """
    rides: {value: "1", type: decimal, unit: trip}"""
_MAPPING: Final = """\
# Invented figures of an invented city, for the sandbox.
mapping: {city.platform}/travel
schema: mapping/1
version: 1
status: illustrative
title: {{zh: {city.zh}绿色出行 (虚构), en: Green travel of {city.name} (invented)}}
issuer: {city.platform}
effective: {{from: 2025-01-01, basis: activity_start, zone: Asia/Shanghai}}
basis: [{{ref: M1, title: {city.zh}碳普惠方法学 (虚构), edition: "2025", read: 2026-11-22}}]
source:
  format: {{kind: ndjson}}
  evidence: operator-record
  ownership: personal
  fields:
    event: {{path: /ride, type: text}}
    person: {{path: /user, type: pseudonym}}
    behaviour: {{path: /mode, type: text, code_table: mode}}
    distance: {{path: /km, type: decimal, unit: km, scale: 3, excess_digits: reject, min: "0", max: "100"}}
    start: {{path: /start, type: instant, zone: Asia/Shanghai}}{rides}
code_tables:
  mode:
    - {{code: bike, behaviour: TRV-BIKE}}
    - {{code: metro, behaviour: TRV-METRO}}
    - {{code: bus, behaviour: TRV-BUS}}
factors:
  per_km:
    unit: gCO2e/km
    by: behaviour
    values:
      - {{from: 2025-01-01, cite: M1, clause: 表1,
         value: {{TRV-BIKE: "{city.bike}", TRV-METRO: "{city.metro}", TRV-BUS: "{city.bus}"}}}}
  {rate[0]}:
    unit: {rate[1]}
    values: [{{from: 2025-01-01, cite: M1, clause: 表2, value: "{rate[2]}"}}]
formula:
  - {{name: reduction, unit: gCO2e, expr: distance * per_km, round: {{scale: 3, mode: half_up}}}}
  - {{name: points, unit: {city.unit}, expr: {points}, round: {{scale: 0, mode: floor}}}}
credit:
  unit: {city.unit}
  kind: {kind}{expiry}
  caps:
    - {{name: daily, of: points, per: [person, local_day], max: {city.cap}, order: accepted_sequence,
       late: counts_on_activity_day}}
tests:
  - {{name: one ride, given: {{mode: bike, km: "1", start: "2025-03-16 19:11:48"}},
     expect: {{reduction: "{city.bike}"}}}}
"""

_YUNXI_MODES: Final = ("电单车", "地铁", "公交")
CITIES: Final[Mapping[str, City]] = MappingProxyType(
    {
        city.name: city
        for city in (
            City(
                "yunxi",
                "云溪市",
                columns=Columns("行程编号", "用户", "出行方式", "里程（公里）", "开始时间", _YUNXI_MODES),
            ),
            City("qinglan", "青岚市", "40", "46.2", "31.5", "1", 2000),
            City("yuewan", "月湾市", "93.3", "68.4", "52.1", "10", 300),
            City("songling", "松岭市", "250", "120", "95", "5", 900, expiry="P2Y"),
            City("xingdu", "星渡市", "120.5", "88.25", "61.75", "", 12),
            City("bailu", "白鹭市", "60", "55.5", "44.4", "100", 60, expiry="P1Y", asks=True),
        )
    }
)
"""The cities by name."""


def city_named(name: str) -> City:
    """Return a sandbox city.

    Raises:
        UsageError: names those that there are.
    """
    found = CITIES.get(name.rpartition("/")[2])
    if found is None:
        raise UsageError(
            f"there is no sandbox city {name!r}", field="city", remedy=f"one of: {', '.join(CITIES)}"
        )
    return found
