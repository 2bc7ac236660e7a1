"""Random mapping documents that pass every check, for holding the evaluators against each other.

A document is made as plain data and written as JSON, which is YAML too, so that all of the reading and
checking takes part. Expressions are grown by unit; what a formula does not use is left out again.
"""

import json
import random
import re
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from typing import Any, get_args

from gateway.convert.document import MappingRefused
from gateway.convert.load import load_program
from gateway.convert.program import DateForm, Program, TimeForm
from gateway.model.codes import Rejection

Doc = dict[str, Any]

MODES = ("half_up", "half_even", "half_down", "floor", "ceiling", "down", "up")
ZONES = ("Asia/Shanghai", "Asia/Urumqi", "America/New_York", "Asia/Kathmandu")
ACTS = ("TRV-METRO", "TRV-BUS", "TRV-BIKE")
DATE_FORMS, TIME_FORMS = get_args(DateForm), get_args(TimeForm)
CLASSES = ("small", "middle", "large")
SINCE = ("2023-01-01", "2025-03-09", "2025-07-01", "2025-11-02", "2026-01-01")
EFFECTIVE = ("2025-03-01", "2026-01-15")
CREDIT = "cn-000000/yunxi-point"
MG_DECIMALS = {"mgCO2e": 0, "gCO2e": 3, "kgCO2e": 6, "tCO2e": 9}


def random_program(rng: random.Random, schema: Doc) -> Program:
    """Make documents until one passes: some divide by what may be zero, or grow too large."""
    while True:
        try:
            return load_program(json.dumps(random_document(rng)).encode(), schema)
        except MappingRefused as refused:
            if any(finding.code != "bounds" for finding in refused.findings):
                raise


def random_document(rng: random.Random) -> Doc:
    """Make one document; only its bounds may be unfit."""
    return _Maker(rng).document()


class _Maker:
    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.co2e = rng.choice(tuple(MG_DECIMALS))
        self.rate = f"{self.co2e}/km"
        self.kind = rng.choice(("gram", "gram", "per_act", "engagement"))
        self.fields: dict[str, Doc] = {}
        self.factors: dict[str, Doc] = {}
        self.tables: dict[str, Doc] = {}
        self.names: dict[str, list[str]] = {"km": [], "1": [], self.rate: [], self.co2e: []}
        self.calls: list[tuple[str, str, str]] = []  # table, argument's unit, result's unit

    def document(self) -> Doc:
        self.make_fields()
        self.written = random.Random(json.dumps(self.fields))  # apart, so that the rules stay those they were
        self.make_factors()
        self.make_tables()
        formula = self.formula()
        if self.kind in {"gram", "per_act"} and self.written.random() < 0.1:
            self.kind = "none"
            formula = [step for step in formula if step["name"] != "points"]
        used = set(re.findall(r"[a-z][a-z0-9_]*", json.dumps([self._exprs(step) for step in formula])))
        factors = {name: factor for name, factor in self.factors.items() if name in used}
        used |= {factor["by"] for factor in factors.values() if "by" in factor}
        plausibility = self.plausibility()
        used |= {speed["of"] for speed in plausibility.get("speed", ())}
        fields = {name: field for name, field in self.fields.items() if name in used}
        document = self.frame(formula, fields)
        self.narrow(document)
        if plausibility:
            document["source"]["plausibility"] = plausibility
        if factors:
            document["factors"] = factors
        tables = {name: table for name, table in self.tables.items() if name in used}
        return document | ({"tables": tables} if tables else {})

    @staticmethod
    def _exprs(step: Doc) -> list[str]:
        return [step["expr"]] if "expr" in step else list(step["cases"].values())

    def frame(self, formula: list[Doc], fields: dict[str, Doc]) -> Doc:
        rng = self.rng
        codes: Doc = {"mode": [{"code": f"{n:02}", "behaviour": act} for n, act in enumerate(ACTS, start=1)]}
        if "size" in fields:
            codes["sizes"] = [{"code": name[0], "class": name} for name in CLASSES]
        effective = {"from": EFFECTIVE[0], "basis": "activity_start", "zone": rng.choice(ZONES)}
        if rng.random() < 0.5:
            effective["until"] = EFFECTIVE[1]
        roles = {
            "event": self.event(),
            "behaviour": {"path": "/behaviour", "code_table": "mode"},
            "start": self.start(effective["zone"]),
            "end": {"path": "/end", "type": "instant", "missing": "quantity-unknown"},
            "person": {"path": "/person", "type": "pseudonym"},
        }
        return {
            "mapping": "cn-000000/yunxi/travel",
            "schema": "mapping/1",
            "version": "1",
            "status": "illustrative",
            "title": {"zh": "云溪市", "en": "Yunxi"},
            "issuer": "cn-000000/yunxi",
            "effective": effective,
            "basis": [{"ref": "M1", "title": "云溪碳普惠方法学", "read": "2026-11-22"}],
            "source": {"evidence": "device", "ownership": "personal", "fields": roles | fields},
            "code_tables": codes,
            "formula": formula,
            "credit": {"unit": CREDIT, "kind": self.kind},
            "tests": [{"name": "unknown", "given": {"behaviour": "99"}, "reject": "unknown-code"}],
        }

    def narrow(self, document: Doc) -> None:
        """Add a kind of act without a figure, and days in which acts must be claimed, each now and then."""
        if self.written.random() < 0.3:
            reason = {"zh": "未公布", "en": "not published"}
            row = {"code": "04", "behaviour": "TRV-POOL", "unmapped": reason}
            document["code_tables"]["mode"].append(row)
        if self.written.random() < 0.2:
            opens = self.written.randint(0, 3)
            window: Doc = {"opens": f"P{opens}D", "closes": f"P{opens + 2}D", "from": "activity_start"}
            window |= {"behaviours": [ACTS[0]]} if self.written.random() < 0.5 else {}
            document["source"]["claim_window"] = window
            document["source"]["fields"]["claimed_at"] = {"path": "/claimed", "type": "instant"}

    def event(self) -> Doc:
        """Make the role event, now and then of other roles."""
        if self.written.random() < 0.2:
            return {"of": ["person", "day", "start"]}
        return {"path": "/event", "type": "text"}

    def start(self, zone: str) -> Doc:
        """Make the role start, now and then with day and time apart and in another form than ISO 8601."""
        if self.written.random() < 0.7:
            return {"path": "/start", "type": "instant"}
        forms = {"date_form": self.written.choice(DATE_FORMS), "time_form": self.written.choice(TIME_FORMS)}
        ambiguous = {"ambiguous": "reject"} if forms["date_form"] == "D/M/YYYY" else {}
        return {"paths": ["/day", "/time"], "type": "instant", "zone": zone} | forms | ambiguous

    def make_fields(self) -> None:
        rng = self.rng
        for number in range(rng.randint(1, 4)):
            unit = "km" if number == 0 else rng.choice(("km", "1"))
            low, high = rng.choice(
                (("0", "300"), ("-50", "50"), ("1", "9"), ("0", "2000000000000"), ("-9", "-1"))
            )
            field: Doc = {"path": f"/x{number}", "type": "decimal", "unit": unit, "min": low, "max": high}
            field["scale"] = str(rng.choice((0, 1, 2, 3, 6)))
            field["excess_digits"] = rng.choice(("reject", "reject", *MODES))
            field["missing"] = rng.choice(("missing-field", "quantity-unknown"))
            if rng.random() < 0.15:
                field["behaviours"] = rng.sample(ACTS, 2)
            self.fields[f"x{number}"] = field
            self.names[unit].append(f"x{number}")
        self.fields["size"] = {"path": "/size", "code_table": "sizes"}
        if rng.random() < 0.2:
            self.fields["fixed"] = {"value": "1.5", "type": "decimal", "unit": "1", "scale": "1"}
            self.names["1"].append("fixed")

    def plausibility(self) -> Doc:
        """Make limits of speed and duration, or none."""
        rng = self.rng
        if rng.random() < 0.4:
            return {}
        fit = [name for name, one in self.fields.items() if Fraction(one.get("min", "-1")) >= 0]
        speeds = [self.speed(number, rng.choice(fit)) for number in range(rng.randint(0, 2)) if fit]
        made: Doc = {"speed": speeds} if speeds else {}
        if not speeds or rng.random() < 0.3:
            low, high = rng.choice((("1", "90"), ("0.5", "2.25"), ("0.01", "0.01")))
            made["duration"] = [self.limit("long", low, high) | {"unit": rng.choice(("s", "min", "h", "d"))}]
        if rng.random() < 0.2:
            made["overlap"] = {"of": "person", "remember": "30", "then": "reject"}
        return made

    def speed(self, number: int, of: str) -> Doc:
        """Make a limit of speed over one input."""
        low, high = self.rng.choice((("1", "60"), ("0.25", "7.125"), ("3", "3"), ("0.001", "1000000.5")))
        field, time = self.fields[of], self.rng.choice(("s", "min", "h", "d"))
        unit = field["unit"] if self.rng.random() < 0.8 else f"1*{field['unit']}"
        made = self.limit(f"fast{number}", low, high) | {"of": of, "unit": f"{unit}/{time}"}
        return made | {"behaviours": field["behaviours"]} if "behaviours" in field else made

    def limit(self, name: str, low: str, high: str) -> Doc:
        """Make what all limits have; some have no lower side, some concern one kind of act."""
        rng = self.rng
        made: Doc = {"name": name, "max": high, "then": rng.choice(("reject", "finding"))}
        made |= {"min": low} if rng.random() < 0.6 else {}
        return made | ({"behaviours": [rng.choice(ACTS)]} if rng.random() < 0.3 else {})

    def make_factors(self) -> None:
        for number in range(self.rng.randint(1, 4)):
            unit = self.rate if number == 0 else self.rng.choice(tuple(self.names))
            by = self.rng.choice((None, None, "behaviour", "size"))
            self.factors[f"f{number}"] = self.factor(unit, by)
            self.names[unit].append(f"f{number}")
        self.factors["one_km"] = {"unit": "km", "values": [{"from": SINCE[0], "value": "0.8", "cite": "M1"}]}

    def factor(self, unit: str, by: str | None) -> Doc:
        rng = self.rng
        first = 0 if rng.random() < 0.85 else 1  # sometimes there is no figure before a day
        days = [SINCE[first], *sorted(rng.sample(SINCE[first + 1 :], rng.randint(0, 2)))]
        keys = {"behaviour": ACTS, "size": CLASSES}.get(by or "", ())
        values = []
        for day in days:
            stated = [key for key in keys if rng.random() < 0.9] or list(keys)
            value: Any = {key: self.decimal() for key in stated} if by else self.decimal()
            values.append({"from": day, "value": value, "cite": "M1"})
        return {"unit": unit, "values": values} | ({"by": by} if by else {})

    def decimal(self) -> str:
        rng = self.rng
        sign = "-" if rng.random() < 0.1 else ""
        whole = str(rng.choice((0, 1, 2, 5, 40, 180, rng.randint(0, 999))))
        return sign + whole + rng.choice(("", ".5", ".25", ".125", f".{rng.randint(0, 999):03}"))

    def make_tables(self) -> None:
        for number in range(self.rng.randint(0, 3)):
            of = self.rng.choice(("km", "1"))
            kind = self.rng.choice(("step", "marginal", "linear"))
            unit = "1" if kind == "marginal" else self.rng.choice(tuple(self.names))
            self.add_table(f"t{number}", kind, of=of, unit=unit)
            self.calls.append((f"t{number}", of, of if kind == "marginal" else unit))
        self.add_table("grade", "label", of="km", unit="1")

    def add_table(self, name: str, kind: str, *, of: str, unit: str) -> None:
        boundary = self.rng.choice(("from", "above"))
        editions = [{"from": SINCE[0], "cite": "M1", "rows": self.table_rows(kind)}]
        if self.rng.random() < 0.3:
            editions.append({"from": SINCE[2], "cite": "M1", "rows": self.table_rows(kind)})
        self.tables[name] = {"kind": kind, "boundary": boundary, "of": of, "unit": unit, "values": editions}

    def table_rows(self, kind: str) -> list[Doc]:
        rng = self.rng
        ats = sorted(rng.sample(range(-40, 80), rng.randint(1, 5)))
        if rng.random() < 0.6:
            ats[0] = -60
        rows: list[Doc] = []
        for number, at in enumerate(ats):
            text = str(at) + rng.choice(("", ".5", ".125"))
            if kind in {"step", "label"} and len(ats) > 1 and rng.random() < 0.15:
                reject = rng.choice((Rejection.QUANTITY_UNKNOWN, Rejection.IMPLAUSIBLE))
                rows.append({"at": text, "reject": reject.value})
            elif kind == "label":
                rows.append({"at": text, "label": f"grade {number}"})
            else:
                rows.append({"at": text, "value": self.decimal()})
        return rows

    def formula(self) -> list[Doc]:
        rng = self.rng
        steps: list[Doc] = []
        for number in range(rng.randint(0, 2)):
            unit = rng.choice(tuple(self.names))
            steps.append(self.step(f"s{number}", unit, partial(self.grow, unit, 2)))
            self.names[unit].append(f"s{number}")
        if rng.random() < 0.3:
            steps.append({"name": "rating", "unit": "1", "expr": f"grade({self.grow('km', 1)})"})
        if self.kind != "engagement":
            scale = rng.randint(0, MG_DECIMALS[self.co2e])
            step = self.step("reduction", self.co2e, lambda: self.grow(self.co2e, 3))
            steps.append(step | {"round": {"scale": str(scale), "mode": rng.choice(MODES)}})
        steps.append(self.points())
        return steps

    def step(self, name: str, unit: str, grow: Callable[[], str]) -> Doc:
        step: Doc = {"name": name, "unit": unit}
        if self.rng.random() < 0.3:
            step["cases"] = {act: grow() for act in ACTS}
        else:
            step["expr"] = grow()
        if self.rng.random() < 0.7:
            step["round"] = {"scale": str(self.rng.randint(0, 4)), "mode": self.rng.choice(MODES)}
        return step

    def points(self) -> Doc:
        base = "x0" if self.kind == "engagement" else "reduction"
        expr = self.rng.choice(
            (f"{base} / 10", f"{base} * 0.3", "5", f"floor({base} / 7) * 2 + 1", f"min({base} / 3, 50)")
        )
        if self.kind == "engagement":
            expr = f"max({expr}, 0)"
        rounding = {"scale": "0", "mode": self.rng.choice(MODES)}
        return {"name": "points", "unit": CREDIT, "expr": expr, "round": rounding}

    def grow(self, unit: str, depth: int) -> str:
        """Grow an expression of a unit."""
        rng = self.rng
        if depth == 0:
            return self.leaf(unit)
        tables = [call for call in self.calls if call[2] == unit]
        choices: list[Callable[[], str]] = [
            lambda: self.leaf(unit),
            lambda: f"({self.grow(unit, depth - 1)} {rng.choice('+-')} {self.grow(unit, depth - 1)})",
            lambda: f"{self.grow(unit, depth - 1)} * {self.grow('1', depth - 1)}",
            lambda: f"{self.grow(unit, depth - 1)} / {self.divisor(depth - 1)}",
            lambda: self.extreme(unit, depth - 1),
            lambda: f"floor({self.grow(unit, depth - 1)})",
        ]
        if tables:
            table, of, _ = rng.choice(tables)
            choices += [lambda: f"{table}({self.grow(of, depth - 1)})"] * 2
        if unit == self.co2e:
            choices += [lambda: f"{self.grow('km', depth - 1)} * {self.grow(self.rate, depth - 1)}"] * 6
        return rng.choice(choices)()

    def extreme(self, unit: str, depth: int) -> str:
        """Grow the smallest or largest of two or three."""
        values = [self.grow(unit, depth) for _ in range(self.rng.randint(2, 3))]
        return f"{self.rng.choice(('min', 'max'))}({', '.join(values)})"

    def divisor(self, depth: int) -> str:
        """Grow a dimensionless expression that is not zero, on either side of it."""
        inner = self.grow("1", depth)
        over = f"({self.leaf('km')} / one_km)"
        return self.rng.choice(
            (f"max({inner}, 0.5)", f"min({inner}, 0 - 2)", f"max({over}, 1)", "8", "3", inner)
        )

    def leaf(self, unit: str) -> str:
        if self.names[unit] and (unit != "1" or self.rng.random() < 0.7):
            return self.rng.choice(self.names[unit])
        if unit == "1":
            return self.rng.choice(("2", "0.5", "1.25", "24", "1000", "0.001"))
        return f"({self.leaf('km')} * {self.leaf(self.rate)})"
