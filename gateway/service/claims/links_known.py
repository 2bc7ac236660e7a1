"""Links of accounts that were looked up before: the same persons come again in one part after the other.

Kept as sorted columns: a dictionary of so many would take six times the memory and twice the time.
"""

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gateway.model.packed import cut
from gateway.ports import Claims
from gateway.signing import PSEUDONYM_BYTES

__all__ = ["LinkColumns", "LinksKnown"]

ACCOUNTS_MAX: Final = 1 << 20  # 53 bytes each; with more accounts it begins anew
_MEMBERS: Final[Any] = [
    ("head", "<u8"), ("tail", "<u8"), ("person", f"V{PSEUDONYM_BYTES}"), ("after", "<i4"), ("shared", "?"),
]  # fmt: skip  # the first half of an account names it: it is a keyed hash
_LAYOUT: Final = np.dtype(_MEMBERS)
_NOBODY: Final = bytes(PSEUDONYM_BYTES)

Rows = NDArray[np.void]


class LinkColumns(NamedTuple):
    """What is known of accounts, column by column; ``persons`` are packed, zeros for nobody."""

    persons: bytes
    linked: NDArray[np.bool_]
    shared: NDArray[np.bool_]
    after: NDArray[np.int32]


class LinksKnown:
    """The links of one submission's accounts: none changes while it is converted."""

    def __init__(self, claims: Claims) -> None:
        self._claims = claims
        self._runs: list[Rows] = []  # each in the order of heads, and at least twice as long as the next

    def of(self, accounts: bytes) -> LinkColumns:
        """Return the links of distinct accounts, which are packed."""
        wanted = np.frombuffer(accounts, "<u8").reshape(-1, PSEUDONYM_BYTES // 8)
        rows = np.zeros(len(wanted), _LAYOUT)
        rows["head"], rows["tail"] = wanted[:, 0], wanted[:, 1]
        missing = np.arange(len(rows))
        for run in self._runs:
            missing = _filled(rows, missing, run=run)
        if len(missing):
            self._look_up(rows, missing, names=np.frombuffer(accounts, f"V{PSEUDONYM_BYTES}")[missing])
        persons = rows["person"].tobytes()
        linked = rows["person"] != np.void(_NOBODY)
        return LinkColumns(persons, linked, rows["shared"], rows["after"])

    def _look_up(self, rows: Rows, missing: NDArray[np.intp], *, names: NDArray[np.void]) -> None:
        accounts = cut(names.tobytes(), PSEUDONYM_BYTES)
        known = self._claims.known(accounts)
        fresh = rows[missing]
        for place, account in enumerate(accounts) if known else ():
            if (link := known.get(account)) is not None:
                fresh["person"][place] = link.person
                fresh["after"][place], fresh["shared"][place] = link.after, link.shared
        rows[missing] = fresh
        self._remember(fresh[np.argsort(fresh["head"])])

    def _remember(self, fresh: Rows) -> None:
        if sum(map(len, self._runs)) + len(fresh) > ACCOUNTS_MAX:
            self._runs.clear()
        self._runs.append(fresh)
        while len(self._runs) > 1 and len(self._runs[-2]) < 2 * len(self._runs[-1]):
            both = np.concatenate((self._runs.pop(), self._runs.pop()))
            self._runs.append(both[np.argsort(both["head"], kind="stable")])


def _filled(rows: Rows, missing: NDArray[np.intp], *, run: Rows) -> NDArray[np.intp]:
    """Fill in what a run knows of rows, and return the places of those that it does not know."""
    wanted = rows[missing]
    places = np.searchsorted(np.ascontiguousarray(run["head"]), wanted["head"])
    places[places == len(run)] = 0
    found = run[places]
    same = (found["head"] == wanted["head"]) & (found["tail"] == wanted["tail"])
    rows[missing[same]] = found[same]
    left: NDArray[np.intp] = missing[~same]
    return left
