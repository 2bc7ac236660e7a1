"""What stays of an erased person: names that lead nowhere, and sums without a name."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

__all__ = ["FORGOTTEN", "NOWHERE", "CarriedUse", "Erasure", "ErasureNotice", "ReplacedFile"]

FORGOTTEN: Final = bytes(8)
"""The content mark of an event whose person was erased: whatever comes again is a repetition."""

NOWHERE: Final = 2**32 - 1
"""The batch and the place of such an event, and the batch of one of a dry run: it leads to no record."""


class CarriedUse(NamedTuple):
    """What records of which it is not known whose they are have used of one cap: by the cap's keyed name."""

    key: bytes
    scheme: str
    cap: str
    period: str
    used: int


class ReplacedFile(NamedTuple):
    """A record file that was written anew without somebody's private columns: old path, new path, digest."""

    old: str
    new: str
    digest: str


class ErasureNotice(NamedTuple):
    """An erasure as the home knows it: the public notice's name, its place in the log, how many records."""

    notice: str
    position: int
    records: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """Everything that one erasure changes in the database, in one transaction.

    ``events`` are the keyed names of the events to forget, ``own_acts`` those under which times of the
    person's acts are remembered, ``carried`` is added to what is carried already. The link of the
    ``account`` goes, and other accounts of the person make claims for days after ``claims_after`` only.
    """

    notice: str
    entry: bytes
    records: int
    files: Sequence[ReplacedFile]
    events: Sequence[bytes]
    own_acts: Sequence[bytes]
    carried: Sequence[CarriedUse]
    account: bytes
    claims_after: int
