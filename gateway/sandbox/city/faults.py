"""Fault switches: what goes wrong on the way, and what a platform does wrong, on purpose and counted."""

import threading
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gateway.errors import UsageError

__all__ = ["Defect", "FaultBoard", "FaultSwitch", "Trouble", "read_switch"]

SECONDS_MAX: Final = 3600


class Trouble(StrEnum):
    """What goes wrong between the two: each request meets at most one of them."""

    SLOW = "slow"  # waits, then works
    LATE = "late"  # works, then waits before it answers
    DEAF = "deaf"  # cuts the connection; nothing was done
    LOST = "lost"  # works, then cuts the connection
    ERROR = "error"  # answers 500; nothing was done
    ABSENT = "absent"  # answers 404, as if it offered no such thing; nothing was done
    BROKEN = "broken"  # works, then answers 500
    DUPLICATE = "duplicate"  # the request arrives twice
    REORDER = "reorder"  # the request waits until another one was worked on
    UNSIGNED = "unsigned"  # the answer has no signature
    WRONG_SIGNATURE = "wrong-signature"  # the signature fits another answer
    WRONG_KEY = "wrong-key"  # signed by a key that nobody knows
    STALE = "stale"  # the signed answer to an earlier request
    CUT = "cut"  # the answer ends in its middle
    DEFERRED = "deferred"  # works, and answers 202: the answer is to be asked for
    CALLBACK = "callback"  # works, answers 202, and posts what came of it to the gateway after a while


class Defect(StrEnum):
    """What a platform itself may do wrong; each is found by the conformance run."""

    CARELESS = "careless"  # takes another document under an id that it knows
    FORGETFUL = "forgetful"  # answers, and keeps nothing
    TRUSTING = "trusting"  # takes requests whoever signed them
    UNCHECKED = "unchecked"  # carries out decisions whoever signed them
    HASTY = "hasty"  # issues points before the decision
    IMPATIENT = "impatient"  # lets holds expire
    OVERSPENDING = "overspending"  # holds nothing of what it says it holds
    SILENT = "silent"  # leaves transfers out of its statements
    SKEWED = "skewed"  # its clock is an hour fast when it signs


@dataclass(slots=True)
class FaultSwitch:
    """A fault that is switched on. ``times`` 0: until it is cleared; ``only``: a part of the path."""

    kind: Trouble | Defect
    times: int = 0
    seconds: float = 2
    only: str = ""

    def document(self) -> dict[str, object]:
        """Return it as it is shown."""
        return {"fault": str(self.kind), "times": self.times, "seconds": str(self.seconds), "only": self.only}


def read_switch(kind: str, *, times: int = 0, seconds: float = 2, only: str = "") -> FaultSwitch:
    """Return a switch by its name.

    Raises:
        UsageError: names those that there are.
    """
    known: list[Trouble | Defect] = [*Trouble, *Defect]
    found = next((one for one in known if one == kind), None)
    if found is None or not 0 <= seconds <= SECONDS_MAX or times < 0:
        raise UsageError(
            f"there is no fault {kind!r} with these figures",
            field="fault",
            remedy=f"one of: {', '.join(known)}; at most {SECONDS_MAX} seconds",
        )
    return FaultSwitch(found, times, seconds, only)


class FaultBoard:
    """The switches of one city."""

    def __init__(self, switches: list[FaultSwitch]) -> None:
        self._lock = threading.Lock()
        self._switches = switches

    def put(self, switch: FaultSwitch) -> None:
        """Switch a fault on, in place of what was on of its kind."""
        with self._lock:
            self._switches = [one for one in self._switches if one.kind is not switch.kind] + [switch]

    def clear(self) -> None:
        """Switch all of them off."""
        with self._lock:
            self._switches = []

    def shown(self) -> list[dict[str, object]]:
        """Return what is on."""
        with self._lock:
            return [switch.document() for switch in self._switches]

    def trouble(self, path: str) -> FaultSwitch | None:
        """Return the trouble that this request meets, and count it."""
        with self._lock:
            for switch in self._switches:
                if isinstance(switch.kind, Trouble) and switch.only in path:
                    self._count(switch)
                    return switch
        return None

    def defects(self, path: str) -> frozenset[str]:
        """Return what the city does wrong with this request, and count it."""
        with self._lock:
            found = [one for one in self._switches if isinstance(one.kind, Defect) and one.only in path]
            for switch in found:
                self._count(switch)
            return frozenset(switch.kind for switch in found)

    def _count(self, switch: FaultSwitch) -> None:
        if switch.times == 1:
            self._switches = [one for one in self._switches if one is not switch]
        elif switch.times:
            switch.times -= 1
