"""Explaining one conversion: every number from the source text to the points granted.

An explanation is recomputed from row and mapping by the exact interpreter and never stored. It names
no person and no event.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Literal, NamedTuple

from gateway.convert.caps import CapKey, CapMeter, Granted
from gateway.convert.interpret import Evaluation, FactorUse, InputUse, Interpreter, LimitUse, TableUse
from gateway.convert.limit_text import exact_text, finding_texts
from gateway.convert.outcome import Converted, Refusal, StepTrace, quoted
from gateway.convert.plausible import claimed_outcome
from gateway.convert.program import Binary, Call, Cite, Expr, Floor, MinMax, Name, Number, Program, Step
from gateway.convert.scalars import decimal_text
from gateway.convert.wording import WORDS, Lang, Words
from gateway.model.codes import Rejection

__all__ = ["Explanation", "Line", "exact_text", "explain", "expression_text"]

LineKind = Literal[
    "mapping", "act", "input", "limit", "factor", "table", "step", "result", "cap", "finding", "refusal",
]  # fmt: skip

_QUOTABLE = frozenset({None, "behaviour", "evidence", "ownership"})  # the other roles speak of a person
_UNTIMELY = frozenset({Rejection.UNCLAIMED, Rejection.EARLY, Rejection.LATE})
_STRENGTH = {"+": 1, "-": 1, "*": 2, "/": 2}
DIGEST_CHARACTERS = 12  # enough to recognise a version; the full digest is in the record


class Line(NamedTuple):
    """One statement of an explanation: what it is about, the name concerned, and the sentence."""

    kind: LineKind
    name: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What came of an act, and why."""

    outcome: Converted | Refusal
    granted: Granted | None
    items: tuple[Line, ...]

    def lines(self) -> list[str]:
        """Give the sentences for a terminal."""
        return [item.text for item in self.items]


def explain(
    program: Program,
    fields: Mapping[str, str],
    *,
    lang: Lang,
    usage: Mapping[CapKey, int] | None = None,
    accepted: date | None = None,
    rows: int = 1,
) -> Explanation:
    """Explain one act; with the usage of caps before it, also what they leave of it.

    ``accepted`` is the local day of acceptance, the day of the act where it is left out. ``rows`` is how
    many rows of the input the act was made of. Whether it overlaps another act of its person cannot be
    told of one act.
    """
    seen = Interpreter(program).run(fields)
    teller = _Teller(
        program, fields, words=WORDS[lang], title=program.title_zh if lang == "zh" else program.title_en
    )
    items = [*teller.act(seen, rows), *teller.figures(seen), *teller.steps(seen)]
    granted = None if usage is None else _granted(program, seen, usage=dict(usage), accepted=accepted)
    outcome = granted if isinstance(granted, Refusal) else seen.outcome
    if isinstance(seen.outcome, Converted):
        items += teller.result(seen.outcome)
    if isinstance(outcome, Converted) and seen.roles is not None:
        points = granted.points if isinstance(granted, Granted) else outcome.points
        outcome = claimed_outcome(program, outcome, roles=seen.roles, points=points)
    if isinstance(outcome, Refusal):
        items += teller.refusal(outcome)
    elif isinstance(granted, Granted):
        items += teller.caps(granted)
    if isinstance(outcome, Converted):
        items += teller.findings(outcome)
    return Explanation(
        outcome=outcome, granted=granted if isinstance(granted, Granted) else None, items=tuple(items)
    )


def _granted(
    program: Program, seen: Evaluation, *, usage: dict[CapKey, int], accepted: date | None
) -> Granted | Refusal | None:
    if isinstance(seen.outcome, Refusal) or seen.roles is None:
        return None
    meter = CapMeter(program)
    keys = meter.keys(seen.roles, accepted or date.fromordinal(seen.roles.day))
    return keys if isinstance(keys, Refusal) else meter.grant(seen.outcome, keys, usage=usage)


class _Teller:
    """Puts what was seen into sentences of one language."""

    def __init__(self, program: Program, fields: Mapping[str, str], *, words: Words, title: str) -> None:
        self.program = program
        self.fields = fields
        self.words = words
        self.title = title
        self.source = {field.name: field for field in program.source.fields}

    def act(self, seen: Evaluation, rows: int) -> Iterator[Line]:
        program, words = self.program, self.words
        text = words.mapping.format(
            id=program.id,
            version=program.version,
            title=self.title,
            digest=program.digest[:DIGEST_CHARACTERS],
        )
        yield Line("mapping", program.id, text)
        if program.status == "unpublished":
            yield Line("mapping", "status", words.unpublished)
        if program.closed is not None:
            closed = words.closed.format(on=program.closed.on, snapshot=program.closed.snapshot)
            yield Line("mapping", "closed", closed)
        if rows > 1:
            yield Line("act", "rows", words.rows.format(count=rows))
        if seen.roles is None:
            return
        day = date.fromordinal(seen.roles.day).isoformat()
        yield Line("act", "day", words.day.format(day=day, zone=program.zone.key))
        yield Line("act", "behaviour", self.behaviour(seen.roles.behaviour))

    def behaviour(self, behaviour: str) -> str:
        field = next(field for field in self.program.source.fields if field.role == "behaviour")
        if field.constant is not None:
            return self.words.constant.format(behaviour=behaviour)
        code, table = self.fields[field.keys[0]], field.code_table or field.name
        text = self.words.behaviour.format(behaviour=behaviour, table=table, code=quoted(code))
        rows = self.program.source.code_tables[table]
        return text + next((self.words.relations[row.relation] for row in rows if row.code == code), "")

    def figures(self, seen: Evaluation) -> Iterator[Line]:
        for read in seen.inputs:
            yield Line("input", read.name, self.input(read))
        for held in seen.limits:
            yield Line("limit", held.name, self.limit(held))
        for factor in seen.factors:
            yield Line("factor", factor.name, self.factor(factor))
        for use in seen.tables:
            yield Line("table", use.name, self.table(use))

    def input(self, read: InputUse) -> str:
        field, text = self.source[read.name], quoted(read.text)
        if read.row is not None:
            table = field.code_table or ""
            return self.words.class_input.format(name=read.name, text=text, table=table, of=read.row.value)
        return self.words.input.format(name=read.name, text=text, value=_amount(read.value, field.unit))

    def limit(self, held: LimitUse) -> str:
        limit = next(limit for limit in self.program.source.limits if limit.name == held.name)
        high = _amount(limit.high, limit.unit)
        words = self.words.allowed_up_to if limit.low is None else self.words.allowed_between
        low = "" if limit.low is None else exact_text(limit.low)
        verdict = self.words.within if held.within else self.words.beyond
        allowed = words.format(low=low, high=high)
        if limit.of is None or held.quantity is None:
            sentence = self.words.limit_duration
            return sentence.format(name=held.name, seconds=held.seconds, allowed=allowed, verdict=verdict)
        return self.words.limit.format(
            name=held.name,
            quantity=_amount(held.quantity, self.source[limit.of].unit),
            seconds=held.seconds,
            allowed=allowed,
            verdict=verdict,
        )

    def findings(self, outcome: Converted) -> Iterator[Line]:
        for one in outcome.findings:
            found, expected = finding_texts(self.program, one)
            text = self.words.finding.format(rule=one.rule, found=found, expected=expected)
            yield Line("finding", one.rule, text)

    def factor(self, use: FactorUse) -> str:
        words = self.words.figure if use.of is None else self.words.figure_of
        value = _amount(use.value, self.program.formula.factors[use.name].unit)
        return words.format(
            name=use.name, of=use.of, value=value, since=use.since, source=self.cite(use.cite)
        )

    def table(self, use: TableUse) -> str:
        table = self.program.formula.tables[use.name]
        row = next(dated.value for dated in table.values if dated.since == use.since)[use.row]
        text = self.words.table.format(
            name=use.name,
            argument=_amount(use.argument, table.of),
            row=use.row + 1,
            at=exact_text(row.at),
            since=use.since,
            source=self.cite(use.cite),
        )
        return text if row.label is None else text + self.words.table_label.format(label=row.label)

    def cite(self, cite: Cite) -> str:
        if not cite.ref:
            return self.words.no_basis
        title = self.program.basis[cite.ref].get("title", "")
        text = self.words.source.format(ref=cite.ref, title=title, clause=cite.clause).rstrip()
        if cite.confidence:
            confidence = self.words.confidences[cite.confidence]
            text += self.words.sureness.format(confidence=confidence, year=cite.year)
        return text if cite.confirmed is None else text + self.words.confirmed.format(day=cite.confirmed)

    def steps(self, seen: Evaluation) -> Iterator[Line]:
        if seen.roles is None:
            return
        known = {read.name: read.value for read in seen.inputs}
        known |= {factor.name: factor.value for factor in seen.factors}
        steps = {step.name: step for step in self.program.formula.steps}
        for trace in seen.steps:
            step = steps[trace.name]
            for text in self.step(step, trace, expr=step.expr[seen.roles.behaviour], known=known):
                yield Line("step", step.name, text)
            known[trace.name] = trace.value

    def step(
        self, step: Step, trace: StepTrace, *, expr: Expr, known: Mapping[str, Fraction]
    ) -> Iterator[str]:
        words = self.words
        yield words.formula.format(name=step.name, expression=expression_text(expr, str))
        yield words.numbers.format(expression=expression_text(expr, lambda name: exact_text(known[name])))
        if trace.label is not None:
            yield words.label.format(label=trace.label)
            return
        yield words.exact.format(value=_amount(trace.exact, step.unit))
        if step.rounding is None:
            yield words.not_rounded
            return
        scale, mode = step.rounding.scale, words.modes[step.rounding.mode]
        sentence = words.unchanged if trace.exact == trace.value else words.rounded
        value = _with_unit(_fixed(trace.value, scale), step.unit)
        yield sentence.format(scale=scale, mode=mode, value=value)

    def result(self, outcome: Converted) -> Iterator[Line]:
        if self.program.kind == "rating":
            yield Line("result", "rating", self.words.rating)
            return
        reduction = self.words.reduction.format(mg=outcome.co2e_mg)
        engagement = self.program.kind == "engagement"
        yield Line("result", "reduction", self.words.engagement if engagement else reduction)
        if self.program.kind == "none":
            yield Line("result", "points", self.words.no_points)
            return
        points = self.words.points.format(points=outcome.points, unit=self.program.unit)
        yield Line("result", "points", points)
        if not self.program.reversible:
            yield Line("result", "final", self.words.final)

    def caps(self, granted: Granted) -> Iterator[Line]:
        for use in granted.caps:
            text = self.words.cap.format(
                name=use.key.cap,
                period=use.key.period,
                used=use.used,
                maximum=use.maximum,
                unit=self.words.capped_units[use.of],
                asked=use.asked,
                granted=use.granted,
                after=use.used + use.counted,
            )
            yield Line("cap", use.key.cap, text)
        text = self.words.granted.format(points=granted.points, unit=self.program.unit)
        yield Line("result", "granted", text)

    def refusal(self, refusal: Refusal) -> Iterator[Line]:
        words, name = self.words, refusal.field
        reason = words.reasons[refusal.code]
        yield Line("refusal", name, words.refused.format(reason=reason, code=refusal.code.value, field=name))
        yield from self.remarks(refusal)
        field = self.source.get(name)
        if field is None or field.role not in _QUOTABLE or field.constant is not None:
            return
        text = self.fields.get(field.keys[0])
        if text is not None:
            yield Line("refusal", name, words.text_was.format(text=quoted(text)))
        if field.type == "decimal":
            low, high = decimal_text(field.low, field.scale), decimal_text(field.high, field.scale)
            bounds = words.bounds_are.format(low=low, high=_with_unit(high, field.unit), scale=field.scale)
            yield Line("refusal", name, bounds)

    def remarks(self, refusal: Refusal) -> Iterator[Line]:
        """Say why a kind of act is not mapped, and in which days an act had to be claimed."""
        window = self.program.source.claim_window
        if refusal.code is Rejection.UNMAPPED:
            reason = next(r for r in self.program.unmapped.values() if r.en == refusal.detail)
            text = self.words.unmapped.format(reason=reason.zh if self.words is WORDS["zh"] else reason.en)
            yield Line("refusal", refusal.field, text)
        elif window is not None and refusal.field == "claimed_at" and refusal.code in _UNTIMELY:
            text = self.words.window.format(
                opens=window.opens, closes=window.closes, source=self.cite(window.cite)
            )
            yield Line("refusal", refusal.field, text)


def _amount(value: Fraction, unit: str) -> str:
    return _with_unit(exact_text(value), unit)


def _with_unit(number: str, unit: str) -> str:
    return number if unit in {"", "1"} else f"{number} {unit}"


def _fixed(value: Fraction, scale: int) -> str:
    ulps: Fraction = value * 10**scale
    return decimal_text(int(ulps), scale)


def expression_text(expr: Expr, name: Callable[[str], str], *, strength: int = 0) -> str:
    """Write an expression with as few brackets as it needs; ``name`` says how each name is shown."""
    match expr:
        case Number():
            return exact_text(expr.value)
        case Name():
            shown = name(expr.name)
            return f"({shown})" if strength and not _is_atom(shown) else shown
        case Floor():
            return f"floor({expression_text(expr.arg, name)})"
        case Call():
            return f"{expr.table}({expression_text(expr.arg, name)})"
        case MinMax():
            return f"{expr.op}({', '.join(expression_text(arg, name) for arg in expr.args)})"
        case Binary():
            return _binary_text(expr, name, strength=strength)


def _is_atom(shown: str) -> bool:
    return not shown.startswith("-") and "/" not in shown


def _binary_text(expr: Binary, name: Callable[[str], str], *, strength: int) -> str:
    own = _STRENGTH[expr.op]
    left = expression_text(expr.left, name, strength=own)
    right = expression_text(expr.right, name, strength=own + (1 if expr.op in "-/" else 0))
    text = f"{left} {expr.op} {right}"
    return f"({text})" if own < strength else text
