"""What a ledger of transfers can be told and what it answers: plain frozen values of ints and strings.

Amounts of reduction are whole mg CO2e, points are whole, a day is a count of days from some first day.
An exact number that need not be whole comes as numerator and denominator.
"""

from dataclasses import dataclass, field
from typing import Protocol

__all__ = [
    "NO_LIMIT",
    "PURPOSES",
    "Abort",
    "AbortWindow",
    "AddLot",
    "AddPlatform",
    "Batch",
    "CloseWindow",
    "Commit",
    "Ledger",
    "LimitCentral",
    "Mark",
    "NextDay",
    "OpenCorridor",
    "Operation",
    "Outcome",
    "Part",
    "PauseCorridor",
    "PendWindow",
    "Redeem",
    "Reserve",
    "ResumeCorridor",
    "ResumePlatform",
    "Retire",
    "Return",
    "SettleWindow",
    "State",
    "SuspendPlatform",
    "Worth",
]

NO_LIMIT = 2**63 - 1
PURPOSES = ("event-neutrality", "judicial-restoration", "offset", "insurance", "voluntary")


@dataclass(frozen=True, slots=True)
class AddPlatform:
    """Let a platform take part; there, what an act earned expires so many days after the act's day."""

    platform: str
    expiry_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCorridor:
    """Put a recognition agreement in force: days ``valid_from`` <= day < ``valid_until``.

    ``factors`` holds (evidence grade, numerator, denominator); a grade that is not there is not admitted.
    ``person_day_mg`` and ``corridor_day_mg`` count this corridor, ``platform_day_mg`` all that leaves the
    source; each per day of acceptance and in recognised mg, like the net debit cap and the cover.
    """

    source: str
    destination: str
    behaviours: tuple[str, ...]
    methodologies: tuple[str, ...]
    factors: tuple[tuple[str, int, int], ...]
    oldest_day: int
    valid_from: int
    valid_until: int
    minimum_mg: int
    person_day_mg: int
    corridor_day_mg: int
    platform_day_mg: int
    debit_cap_mg: int
    cover_mg: int


@dataclass(frozen=True, slots=True)
class LimitCentral:
    """Set the coordinator's limit on all that moves in a day, in recognised mg."""

    day_mg: int


@dataclass(frozen=True, slots=True)
class Worth:
    """What the whole act is worth to a destination, recomputed from its inputs.

    ``basis_mg`` is R_B under the agreement's basis (None: it cannot be computed), ``destination_mg`` is
    R_D under the destination's mapping, the last two its exact uncapped points for the act.
    """

    destination: str
    basis_mg: int | None
    destination_mg: int
    points_num: int
    points_den: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AddLot:
    """Record a conversion: R_S, P and P*; ``expires`` is the last day on which it is good.

    ``counted_at`` names the platforms that have counted the same act themselves.
    """

    lot: str
    platform: str
    person: str
    act: str
    behaviour: str
    methodology: str
    grade: str
    day: int
    expires: int
    reduction_mg: int
    points: int
    exact_num: int
    exact_den: int
    worths: tuple[Worth, ...]
    ownership: str = "personal"
    kind: str = "gram"
    in_log: bool = True
    claim_closed: bool = True
    disputed: bool = False
    counted_at: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Mark:
    """Change what is known of a record: ``disputed``, ``undisputed`` or ``claim-closed``."""

    record: str
    mark: str


@dataclass(frozen=True, slots=True)
class Part:
    """Name a part of a lot: mg of its movable quantity, or in a return mg of what was recognised."""

    lot: str
    mg: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserve:
    """Ask to reserve lots, limits and position for a transfer; ``person`` is the pseudonym at each end."""

    transfer: str
    source: str
    destination: str
    person: str
    arriving_person: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Batch:
    """Hand over several reservations at once, each with its own outcome."""

    reserves: tuple[Reserve, ...]


@dataclass(frozen=True, slots=True)
class Commit:
    """Decide that the transfer takes place."""

    transfer: str


@dataclass(frozen=True, slots=True)
class Abort:
    """Decide that the transfer does not take place."""

    transfer: str


@dataclass(frozen=True, slots=True)
class Return:
    """Send back part of a committed transfer: per lot of the source, mg of what was recognised."""

    key: str
    transfer: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Retire:
    """Use up part of a lot for good."""

    key: str
    lot: str
    mg: int
    purpose: str
    beneficiary: str


@dataclass(frozen=True, slots=True)
class Redeem:
    """Spend the points of a part of a lot for a benefit at its own platform."""

    key: str
    lot: str
    mg: int


@dataclass(frozen=True, slots=True)
class PauseCorridor:
    """Let nothing new into the corridor."""

    source: str
    destination: str


@dataclass(frozen=True, slots=True)
class ResumeCorridor:
    """End a pause."""

    source: str
    destination: str


@dataclass(frozen=True, slots=True)
class SuspendPlatform:
    """Let no new transfer start from or go to the platform."""

    platform: str


@dataclass(frozen=True, slots=True)
class ResumePlatform:
    """End a suspension."""

    platform: str


@dataclass(frozen=True, slots=True)
class CloseWindow:
    """Close the open window; the next one, numbered one higher, opens."""

    window: int


@dataclass(frozen=True, slots=True)
class PendWindow:
    """Hand the net amounts of a closed window to settlement."""

    window: int


@dataclass(frozen=True, slots=True)
class SettleWindow:
    """Write down that a pending window was settled."""

    window: int


@dataclass(frozen=True, slots=True)
class AbortWindow:
    """Write down that the settlement of a pending window failed."""

    window: int


@dataclass(frozen=True, slots=True)
class NextDay:
    """Let days go by."""

    days: int


Operation = (
    AddPlatform
    | OpenCorridor
    | LimitCentral
    | AddLot
    | Mark
    | Reserve
    | Batch
    | Commit
    | Abort
    | Return
    | Retire
    | Redeem
    | PauseCorridor
    | ResumeCorridor
    | SuspendPlatform
    | ResumePlatform
    | CloseWindow
    | PendWindow
    | SettleWindow
    | AbortWindow
    | NextDay
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Tell whether an operation was accepted, else by which code it was refused, and what it moved.

    The amounts are totals over the lots of a reservation (mg recognised, points burned at the source,
    points issued at the destination) or of a return (mg and points burned at the destination, points
    given back at the source), of a retirement or a redemption (points burned). A batch has ``each``.
    """

    code: str = ""
    recognised_mg: int = 0
    points_out: int = 0
    points_in: int = 0
    each: tuple["Outcome", ...] = ()

    @property
    def accepted(self) -> bool:
        """Tell whether the operation took effect, now or when it was first asked for."""
        return not self.code


@dataclass(frozen=True, slots=True)
class State:
    """Everything one can ask a ledger for; the keys are words with spaces between, zeros are left out.

    ``balances``: "mg held A", "mg in_transit A", "mg unrecognised A", "mg retired A" and "points held A",
    "points on_hold A". ``positions``: "A B" owed by A to B, reservations included, before settlement.
    ``lots``: "value L", "points L", "moved L", "reserved L", "redeemed L", "retired L", "left L"
    (points), "expires L". ``dust``: lot that arrived -> "n/d". ``transfers``: id -> the word
    shown outside. ``windows``: number -> state. ``nets``: "window platform", above zero is to receive.
    """

    balances: dict[str, int] = field(default_factory=dict)
    positions: dict[str, int] = field(default_factory=dict)
    lots: dict[str, int] = field(default_factory=dict)
    dust: dict[str, str] = field(default_factory=dict)
    transfers: dict[str, str] = field(default_factory=dict)
    windows: dict[str, str] = field(default_factory=dict)
    nets: dict[str, int] = field(default_factory=dict)


class Ledger(Protocol):
    """What a thin adapter makes of another implementation, so that it can be driven by a programme."""

    def apply(self, operation: Operation) -> Outcome:
        """Carry out or refuse one operation."""
        ...

    def state(self) -> State:
        """Answer with all balances as they are now."""
        ...
