"""What keeps the ledger and the transfers: steps in groups, the outbox, and requests that were answered."""

from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import Future
from enum import StrEnum
from typing import NamedTuple, Protocol

from gateway.ledger import (
    Book,
    Decision,
    Dispute,
    Entry,
    Flow,
    Head,
    Limit,
    Lot,
    Refusal,
    Reservation,
    Verdict,
    WindowState,
    WindowStep,
)

__all__ = [
    "BooksStanding",
    "Decide",
    "KnownRequest",
    "Ledger",
    "LedgerReader",
    "Outbox",
    "OutboxMessage",
    "OutboxTask",
    "Requests",
    "Standing",
    "StepTaken",
    "Transfer",
    "TransferChange",
    "TransferStep",
]


class OutboxMessage(NamedTuple):
    """What a platform is to be sent about a transfer; its body is made when it is sent."""

    platform: str
    kind: str


class TransferChange(NamedTuple):
    """What a transfer becomes. ``document`` is what its machine remembers, opaque here.

    ``due`` is the second since 1970 at which its timer runs out; None for no timer.
    """

    state: str
    document: str = ""
    due: int | None = None
    messages: tuple[OutboxMessage, ...] = ()


class Decide(NamedTuple):
    """A decision to be taken, unless one was taken before."""

    verdict: Verdict
    reason: str = ""


class TransferStep(NamedTuple):
    """A step of one transfer, taken only if the transfer still has ``version``; 0 where it is new.

    ``at`` is the gateway's second since 1970. A reservation that is refused is a decision: the transfer is
    aborted with the code of the refusal, and becomes ``otherwise``.
    """

    transfer: str
    version: int
    at: int
    change: TransferChange
    command: Reservation | Decide | None = None
    otherwise: TransferChange | None = None


class StepTaken(NamedTuple):
    """What became of a step. Not ``done``: the transfer had another version, or was decided before.

    ``decision`` is what was ever decided about the transfer, also by this step.
    """

    done: bool
    version: int
    state: str
    refusal: Refusal | None = None
    decision: Decision | None = None


class Transfer(NamedTuple):
    """A transfer as it stands."""

    id: str
    version: int
    state: str
    due: int | None
    document: str


class BooksStanding(NamedTuple):
    """The whole books at one moment, and where their journal ended then."""

    head: Head
    book: Book
    windows: dict[int, WindowState]


class Ledger(Protocol):
    """The books. What returns has been written durably; each call is one transaction, without company."""

    def submit(self, step: TransferStep) -> "Future[StepTaken]":
        """Have a step taken with those that wait at the same time, in one transaction."""
        ...

    def submit_all(self, steps: Sequence[TransferStep]) -> "list[Future[StepTaken]]":
        """Have several steps taken, in one transaction unless one of them breaks it."""
        ...

    def run(self, steps: Sequence[TransferStep]) -> list[StepTaken]:
        """Take steps one after the other in one transaction."""
        ...

    def limit(self, limit: Limit) -> None:
        """Set the limits of a position from now on."""
        ...

    def dispute(self, dispute: Dispute) -> None:
        """Block what is left of a lot, or let it move again; raises Refused."""
        ...

    def step_windows(self, step: WindowStep) -> bool:
        """Have windows take a step; False where they had taken it. Raises SettlementRefused."""
        ...


class LedgerReader(Protocol):
    """What the books say."""

    def transfer(self, transfer: str) -> Transfer | None:
        """Return a transfer."""
        ...

    def transfers(self, names: Collection[str]) -> dict[str, Transfer]:
        """Return those of some transfers that there are, by id."""
        ...

    def due(self, *, now: int, limit: int) -> list[Transfer]:
        """Return transfers whose timer has run out, the longest due first."""
        ...

    def reservation(self, transfer: str) -> Reservation | None:
        """Return what a transfer had reserved."""
        ...

    def decision(self, transfer: str) -> Decision | None:
        """Return what was decided about a transfer."""
        ...

    def decided(self, names: Collection[str]) -> dict[str, Decision]:
        """Return what was decided about some transfers, by their ids."""
        ...

    def decisions(self, *, after: int, limit: int) -> list[Decision]:
        """Return decisions in their order, those after a number of the journal."""
        ...

    def standing(self) -> BooksStanding:
        """Return the whole books as they are kept, at one moment."""
        ...

    def journal(self, through: int) -> Iterator[Entry]:
        """Return the journal up to a number, with its postings; what it holds never changes."""
        ...

    def lots(self, names: Collection[str]) -> dict[str, Lot]:
        """Return lots that were ever touched, and what has arrived of them elsewhere, by name."""
        ...

    def counted(self, keys: Collection[str]) -> dict[str, int]:
        """Return what was counted under keys of day limits, reservations included."""
        ...

    def windows(self) -> dict[int, WindowState]:
        """Return the state of each window."""
        ...

    def flows(self, windows: Sequence[int]) -> dict[Flow, int]:
        """Return what moved in some windows."""
        ...


class OutboxTask(NamedTuple):
    """A message that a worker has taken; ``attempts`` counts this one, too."""

    number: int
    transfer: str
    message: OutboxMessage
    attempts: int


class Outbox(Protocol):
    """Messages on their way to platforms, shared by workers; none is lost, any may be sent twice."""

    def take(self, *, now: int, lease: int, limit: int, without: Collection[str] = ()) -> list[OutboxTask]:
        """Take what is due; after ``lease`` seconds others may take what was neither ended nor put off.

        ``without``: nothing for these platforms.
        """
        ...

    def waiting(self, platform: str, *, limit: int) -> list[OutboxTask]:
        """Return what waits for a platform, due or not; first what it was told least often."""
        ...

    def carried(self, tasks: Sequence[OutboxTask]) -> None:
        """Count that a platform is told messages once more, in a file."""
        ...

    def end(self, tasks: Sequence[OutboxTask]) -> None:
        """Forget messages that their platforms have acknowledged."""
        ...

    def answered(self, messages: Sequence[tuple[str, OutboxMessage]]) -> None:
        """Forget messages about transfers that were answered in another way than to whoever sent them."""
        ...

    def put_off(self, task: OutboxTask, *, due: int) -> None:
        """Have a message tried again at a moment, unless another worker has it by now."""
        ...

    def alarming(self, *, attempts: int, limit: int) -> list[OutboxTask]:
        """Return messages that were tried so often and are still on their way."""
        ...


class Standing(StrEnum):
    """What a request is whose id was seen before."""

    NEW = "new"
    SAME = "same"
    OTHER = "other"


class KnownRequest(NamedTuple):
    """What is known of a request's id: the body kept and its answer, empty while there is none."""

    standing: Standing
    body: str = ""
    answer: str = ""


class Requests(Protocol):
    """Requests with an id of the caller's making: the same id has the same outcome for ever."""

    def receive(self, platform: str, bodies: Sequence[tuple[str, str]], *, now: int) -> list[KnownRequest]:
        """Keep requests as (id, canonical body), in order; one that comes twice is known the second time."""
        ...

    def answer(self, platform: str, answers: Sequence[tuple[str, str]]) -> list[str]:
        """Keep answers as (id, answer) and return those in force: the first that was kept of each."""
        ...

    def forget(self, before: int) -> None:
        """Forget bodies of answered requests received before a moment; digests and answers stay."""
        ...
