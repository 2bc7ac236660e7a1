"""The rules of Yunxi, an invented city; illustrative, so only a test home admits them."""

from typing import Final

__all__ = ["YUNXI_MAPPING"]

YUNXI_MAPPING: Final = """\
# Invented figures of an invented city, for the demo.
mapping: cn-000000/yunxi/travel
schema: mapping/1
version: 1
status: illustrative
title: {zh: 云溪市绿色出行 (虚构), en: Yunxi green travel (invented)}
issuer: cn-000000/yunxi
effective: {from: 2025-01-01, basis: activity_start, zone: Asia/Shanghai}
basis: [{ref: M1, title: 云溪碳普惠方法学 (虚构), edition: "2025", read: 2026-11-22}]
source:
  format: {kind: csv, encoding: [utf-8, gb18030]}
  evidence: operator-record
  ownership: personal
  fields:
    event: {column: 行程编号, type: text}
    person: {column: 用户, type: pseudonym}
    behaviour: {column: 出行方式, type: text, code_table: mode}
    distance: {column: 里程（公里）, type: decimal, unit: km, scale: 3, excess_digits: reject,
               min: "0", max: "100"}
    start: {column: 开始时间, type: instant, zone: Asia/Shanghai}
code_tables:
  mode:
    - {code: 地铁, behaviour: TRV-METRO}
    - {code: 公交, behaviour: TRV-BUS}
    - {code: 电单车, behaviour: TRV-EBIKE}
factors:
  baseline: {unit: gCO2e/km, values: [{from: 2025-01-01, value: "180.125", cite: M1, clause: 表3}]}
  act:
    unit: gCO2e/km
    by: behaviour
    values:
      - {from: 2025-01-01, cite: M1, clause: 表4,
         value: {TRV-METRO: "36.253", TRV-BUS: "52.371", TRV-EBIKE: "11.007"}}
formula:
  - {name: reduction, unit: gCO2e, expr: distance * (baseline - act), round: {scale: 3, mode: half_up}}
  - {name: points, unit: cn-000000/yunxi-point, expr: reduction / 10, round: {scale: 0, mode: floor}}
credit:
  unit: cn-000000/yunxi-point
  kind: gram
  caps:
    - {name: daily, of: points, per: [person, local_day], max: 200, order: accepted_sequence,
       late: counts_on_activity_day}
tests:
  - {name: plain,
     given: {行程编号: a, 用户: u, 出行方式: 地铁, 里程（公里）: "10.186", 开始时间: "2025-03-16 19:11:48"},
     expect: {reduction: "1465.480", points: "146"}}
"""
