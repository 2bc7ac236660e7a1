"""One adapter, tried on samples and damaged variants of them; each is read once for all checks."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from itertools import chain, groupby
from typing import NamedTuple

from gateway.conformance.damage import damaged, marked, strange
from gateway.conformance.sample import SAMPLE_BYTES_MAX, Reading, Sample, read_sample
from gateway.contract import Assembly, PlatformAdapter
from gateway.errors import UsageError
from gateway.model.source import Outcome, SourceRow

__all__ = ["Assembled", "Trial", "assemble_rows"]

_NOT_A_SAMPLE = Sample("document", b"")


class Assembled(NamedTuple):
    """What an assembly made of rows; ``fault`` as in :class:`Reading`."""

    of: str
    rows: tuple[SourceRow, ...]
    outcomes: tuple[Outcome, ...]
    fault: str = ""


class Trial:
    """The readings that the checks look at.

    Args:
        adapter: what is tried.
        samples: documents that belong together as one submission; without any, only documents that
            are none can be tried.
        variants: how many damaged variants of each sample are tried.
        seed: another one gives other damage.

    Raises:
        UsageError: a sample is larger than 64 KiB.
    """

    def __init__(
        self, adapter: PlatformAdapter, samples: Iterable[Sample] = (), *, variants: int = 120, seed: int = 0
    ) -> None:
        self.adapter = adapter
        self.samples: Sequence[Sample] = tuple(samples)
        self._variants, self._seed = variants, seed
        for sample in self.samples:
            if len(sample.document) > SAMPLE_BYTES_MAX:
                raise UsageError(
                    f"{sample.file} has {len(sample.document)} bytes; expected a sample of at most "
                    f"{SAMPLE_BYTES_MAX}",
                    field=sample.file,
                    remedy="cut some hundred rows out of it, with whatever stands before and behind them",
                )

    @cached_property
    def clean(self) -> tuple[Reading, ...]:
        """The samples as they are."""
        return tuple(read_sample(self.adapter, sample) for sample in self.samples)

    @cached_property
    def marked(self) -> tuple[Reading, ...]:
        """The samples with a word that no platform writes in place of one of theirs."""
        variants = chain.from_iterable(map(marked, self.samples))
        return tuple(read_sample(self.adapter, sample, of=how) for how, sample in variants)

    @cached_property
    def damaged(self) -> tuple[Reading, ...]:
        """Damaged variants of the samples, and documents that are none."""
        strangers = (strange(sample, seed=self._seed) for sample in self.samples[:1] or (_NOT_A_SAMPLE,))
        variants = (damaged(one, seed=self._seed, variants=self._variants) for one in self.samples)
        documents = chain.from_iterable(chain(strangers, variants))
        return tuple(read_sample(self.adapter, sample, of=how) for how, sample in documents)

    def readings(self) -> Iterator[Reading]:
        """Yield every reading that came to its end, in whatever way the contract allows."""
        return (reading for reading in self.everything() if not reading.fault)

    def everything(self) -> Iterator[Reading]:
        """Yield every reading."""
        return chain(self.clean, self.marked, self.damaged)

    @cached_property
    def assembled(self) -> tuple[Assembled, ...]:
        """What the assembly, if there is one, makes of the samples together and of each document alone."""
        if self.adapter.assembly is None:
            return ()
        clean = [reading for reading in self.clean if not reading.fault]
        together = [row for reading in clean for row in reading.accepted()]
        alone = [assemble_rows(one.accepted(), self.adapter.assembly, of=one.of) for one in self.readings()]
        return (assemble_rows(together, self.adapter.assembly, of="the samples together"), *alone)


def assemble_rows(rows: Iterable[SourceRow], assembly: Assembly, *, of: str) -> Assembled:
    """Sort rows in memory and assemble each group, as the gateway does on disk."""
    key = _key(assembly.group_by)
    ordered: list[SourceRow] = []
    outcomes: list[Outcome] = []
    fault = ""
    try:
        ordered = sorted(rows, key=_key((*assembly.group_by, *assembly.order_by)))
        for _, group in groupby(ordered, lambda row: key(row)[0]):
            outcomes.extend(assembly.assemble(group))
    except Exception as error:  # noqa: BLE001 - what may come out of an adapter is the question
        fault = f"expected outcomes of the assembly, got {type(error).__name__}: {error}"
    return Assembled(of, tuple(ordered), tuple(outcomes), fault)


def _key(names: tuple[str, ...]) -> Callable[[SourceRow], tuple[list[tuple[bool, str]], object]]:
    """Return the order of rows by some fields, then by their places; an absent field comes first."""
    return lambda row: ([(name in row.fields, row.fields.get(name, "")) for name in names], row.place)
