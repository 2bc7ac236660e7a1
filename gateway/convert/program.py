"""What a mapping document means once it has been checked: names resolved, numbers exact, dates dates.

This is the one value that the evaluators share. It is made by :func:`gateway.convert.load_program`
from a document that has passed every check, so an evaluator may rely on it: every name in an
expression is an input, a factor, a table or an earlier step; units agree; bounds are known.
All quantities are exact: :class:`fractions.Fraction` here, scaled integers in the evaluators.
"""

from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Generic, Literal, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from gateway.convert.terms import Binary, Call, Expr, Floor, MinMax, Name, Number
from gateway.model.codes import Rejection
from gateway.model.source import SourceFormat

__all__ = [
    "Binary", "Call", "Cap", "Cite", "ClaimWindow", "Closed", "CodeRow", "DateForm", "Dated", "Expiry",
    "Expr", "Factor", "Field", "Floor", "Form", "Formula", "Group", "Input", "Kind", "Limit", "MinMax",
    "Name", "Number", "Overlap", "Program", "Rounding", "Source", "Status", "Step", "Table", "TableRow",
    "Text", "Then", "TimeForm",
]  # fmt: skip

T = TypeVar("T")

RoundingMode = Literal["half_up", "half_even", "half_down", "floor", "ceiling", "down", "up"]
"""half_up, half_down: ties away from, towards zero; down, up: towards, away from zero."""

Then = Literal["reject", "finding"]
"""What becomes of an act that is not plausible: set aside, or counted and shown to people."""

Status = Literal["official", "press", "study", "unpublished", "illustrative"]
"""``study``: figures of a paper that no platform uses; ``unpublished``: kinds of act without any figure."""

Kind = Literal["gram", "per_act", "engagement", "none", "rating", "unpublished"]
"""What the points stand for; the last three have none, ``none`` beside a reduction."""


class Text(NamedTuple):
    """A text in both languages."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rounding:
    """Round to ``scale`` decimals in the named direction."""

    scale: int
    mode: RoundingMode


@dataclass(frozen=True, slots=True, kw_only=True)
class Cite:
    """Where a figure comes from: an entry of ``basis``, a clause in it, and when it was last confirmed.

    ``confidence`` says how sure the figure is, one of ``CONFIDENCES`` or empty; ``year`` of which year it is.
    """

    ref: str
    clause: str = ""
    confirmed: date | None = None
    confidence: str = ""
    year: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeRow:
    """One row of a code table: the platform's text and what it stands for.

    ``relation`` says how the platform's kind of act lies to the behaviour: it is the same, a narrower or a
    broader one. ``unmapped`` says why no figure can be given for it.
    """

    code: str
    value: str
    relation: Literal["same", "narrower", "broader"] = "same"
    unmapped: Text | None = None


DateForm = Literal[
    "YYYY-MM-DD", "YYYYMMDD", "YYYY/M/D", "YYYY年M月D日", "M/D/YYYY", "D/M/YYYY", "D-M-YYYY", "D.M.YYYY"
]  # fmt: skip
TimeForm = Literal["hh:mm:ss", "hh:mm", "h:mm:ss AM/PM", "hmm"]
"""``hmm`` is hour and minute as one number, without leading zeros: 5, 55, 100, 2355."""


class Form(NamedTuple):
    """How a day, and for an instant the time after it, is written; nothing else is read.

    ``exchangeable`` False refuses a day that would be another one with day and month exchanged.
    """

    date: DateForm
    time: TimeForm
    exchangeable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One column of the source, or a constant in its place.

    ``role`` is a closed role (event, person, household, start, end, day, claimed_at, behaviour, evidence,
    ownership, claimed_reduction, claimed_points) or None for an input of the formula. ``keys`` are
    the names in :class:`SourceRow.fields`; only ``event`` may have several, and an instant, whose day and
    time may stand apart. An event may instead be made ``of`` other roles. For decimals,
    ``low`` and ``high`` are scaled integers. ``behaviours`` limits the field to those acts: for any
    other act it counts as absent. ``missing`` is the rejection when a needed field is absent.
    """

    name: str
    role: str | None
    keys: tuple[str, ...]
    constant: str | None
    type: Literal["text", "decimal", "instant", "date", "pseudonym"]
    code_table: str | None
    unit: str
    scale: int
    excess: Literal["reject"] | RoundingMode
    low: int
    high: int
    missing: Rejection
    behaviours: frozenset[str] | None
    zone: ZoneInfo | None = None  # of an instant written without an offset
    form: Form | None = None  # of a day or instant that is not written as ISO 8601 says
    of: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """How the rows of one day become one act.

    Rows belong together that agree in the places ``by`` and in the local day of ``start``. ``sums`` are
    added up. ``every`` is how many seconds one row stands for: a day that lacks some is refused or
    counted as far as it is known, as ``partial`` says. The act's row has the places ``by``, and under
    ``day``, ``rows`` and the names of the sums what was made.
    """

    by: tuple[str, ...]
    start: Field
    sums: tuple[Field, ...]
    every: int
    partial: Literal["reject", "keep"]
    prefix: str  # of the made names: a slash where places are JSON Pointers

    def made(self, name: str) -> str:
        """Return where something that was made stands in the act's row."""
        return self.prefix + name


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """What is plausible of the time from start to end: ``low`` <= ``of`` / time <= ``high``.

    Without ``of`` the time itself is held to the limits. ``unit`` is that of the limits, and
    ``unit_seconds`` the length of its unit of time.
    """

    name: str
    of: str | None
    unit: str
    unit_seconds: int
    low: Fraction | None
    high: Fraction
    then: Then
    behaviours: frozenset[str] | None

    def concerns(self, behaviour: str) -> bool:
        """Tell whether acts of that behaviour are held to the limits."""
        return self.behaviours is None or behaviour in self.behaviours


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """Two acts of one person may overlap by ``tolerance_s`` at most; each is remembered for some days."""

    tolerance_s: int
    remember_days: int
    then: Then
    behaviours: frozenset[str] | None

    def concerns(self, behaviour: str) -> bool:
        """Tell whether acts of that behaviour are compared with each other."""
        return self.behaviours is None or behaviour in self.behaviours


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimWindow:
    """When an act must have been claimed: from ``opens`` to before ``closes`` days after its own day."""

    opens: int
    closes: int
    behaviours: frozenset[str] | None
    cite: Cite

    def concerns(self, behaviour: str) -> bool:
        """Tell whether acts of that behaviour must be claimed."""
        return self.behaviours is None or behaviour in self.behaviours


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """How rows become acts: shared by all versions of a scheme, apart from what is held to be plausible."""

    adapter: str
    format: SourceFormat
    fields: tuple[Field, ...]
    code_tables: dict[str, tuple[CodeRow, ...]]
    claim_tolerance_mg: int
    claim_then: Then = "finding"
    limits: tuple[Limit, ...] = ()
    overlap: Overlap | None = None
    group: Group | None = None
    claim_window: ClaimWindow | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """An input of the formula as a scaled integer (``classes`` None), or as one of ``classes``."""

    name: str
    unit: str
    scale: int
    low: int
    high: int
    classes: tuple[str, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dated(Generic[T]):
    """A value that holds from a day on, until the next one of its list."""

    since: date
    value: T
    cite: Cite


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """A figure by date. ``by`` None: one value; ``behaviour`` or the name of a class input: one per class.

    A class without a value, or a day before the first date, is the rejection ``no-figure``.
    """

    name: str
    unit: str
    by: str | None
    values: tuple[Dated[Fraction | dict[str, Fraction]], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRow:
    """One row of a piecewise table, holding from ``at`` to the next row's ``at``.

    Exactly one of ``value``, ``label`` and ``reject`` is set. Kinds: ``step``: the value itself;
    ``marginal``: a rate for the part of the argument inside the row (tiers), summed over the rows
    below; ``linear``: the curve's value at ``at``, straight lines between rows, constant after the
    last; ``label``: the text (a rating), held as the row's index.
    """

    at: Fraction
    value: Fraction | None = None
    label: str | None = None
    reject: Rejection | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A piecewise function of one value, by date.

    ``boundary`` says to which row an argument equal to a row's ``at`` belongs: ``from`` to that
    row, ``above`` to the row before it. Below the first row: rejection ``out-of-bounds``.
    """

    name: str
    unit: str
    of: str
    kind: Literal["step", "marginal", "linear", "label"]
    boundary: Literal["from", "above"]
    values: tuple[Dated[tuple[TableRow, ...]], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One named step. ``expr`` has one expression per behaviour (the same object where they agree).

    Without ``rounding`` the exact rational goes on to the next step.
    """

    name: str
    unit: str
    expr: dict[str, Expr]
    rounding: Rounding | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    """A limit per person (or household, platform) and period.

    ``maximum`` is in points, mg CO2e or acts as ``of`` says. The order and what a late act does are
    explained in docs/reference/mapping.md.
    """

    name: str
    of: Literal["points", "reduction", "acts"]
    whom: Literal["person", "household", "platform"]
    period: Literal["local_day", "week", "month", "year", "ever"]
    maximum: int
    order: Literal["accepted_sequence", "activity_start"]
    late: Literal["counts_on_activity_day", "counts_on_acceptance_day", "reject"]
    when_full: Literal["grant_zero", "reject"]
    behaviours: frozenset[str] | None
    cite: Cite = Cite(ref="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Expiry:
    """When points lapse: ``months`` and ``days`` after the act's day, at the end of that local day."""

    months: int
    days: int
    cite: Cite = Cite(ref="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """The end of a whole programme: its day, and what is known of what was left then."""

    on: date
    snapshot: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Formula:
    """The inputs, figures and steps, in the order of evaluation.

    The step called ``reduction`` gives the reduction (mg CO2e: an integer after its unit's
    conversion; absent for kind ``engagement``), ``points`` the points; both are rounded steps. Kind ``none``
    has no points, ``rating`` neither, and a mapping that is ``unpublished`` no step at all.
    """

    inputs: dict[str, Input]
    factors: dict[str, Factor]
    tables: dict[str, Table]
    steps: tuple[Step, ...]
    needs: dict[str, tuple[str, ...]]  # behaviour -> inputs its expressions use, sorted
    mg_per_reduction_ulp: int  # mg in one unit of the reduction step's last decimal; whole by check


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One version of one scheme, ready to be evaluated.

    ``digest`` is SHA-256 (lower hex) over ``canonical``, the document's canonical JSON.
    ``effective_until`` is the first day not covered, or None. ``reversible`` is what the rules say about
    taking granted points back: an explanation passes it on, no conversion depends on it.
    ``behaviours`` have a formula; ``unmapped`` are those of which the platform has acts and no figure is
    published, with the reason.
    """

    id: str
    version: int
    digest: str
    canonical: bytes
    platform: str
    status: Status
    title_zh: str
    title_en: str
    effective_from: date
    effective_until: date | None
    zone: ZoneInfo
    basis: dict[str, dict[str, str]]
    source: Source
    behaviours: tuple[str, ...]
    formula: Formula
    unit: str
    kind: Kind
    caps: tuple[Cap, ...]
    expiry: Expiry | None
    reversible: bool
    tests: tuple[dict[str, object], ...]
    unmapped: dict[str, Text] = field(default_factory=dict)
    closed: Closed | None = None
