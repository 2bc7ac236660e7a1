"""Join the parts of trying an adapter on files."""

from collections.abc import Sequence
from pathlib import Path

from gateway.app.base.mappings import select_scheme, shipped_programs
from gateway.conformance import CHECKS, SAMPLE_BYTES_MAX, Result, Sample, Trial
from gateway.contract import PlatformAdapter
from gateway.model.source import SourceFormat
from gateway.plugins import find_adapter
from gateway.store.files.inputs import InputFile, open_input, order_inputs

__all__ = ["check_adapter"]


def check_adapter(
    name: str, files: Sequence[Path], *, mapping: str = "", variants: int, seed: int
) -> list[Result]:
    """Run every check of an adapter on some files.

    Raises:
        UsageError: no adapter has that name, or a file is too large for a sample.
        LocalFileError: a file cannot be read.
    """
    adapter = find_adapter(name)
    inputs = order_inputs(files)
    samples = [Sample(one.name, _head(one), _source(adapter, one, mapping=mapping)) for one in inputs]
    trial = Trial(adapter, samples, variants=variants, seed=seed)
    return [check.run(trial) for check in CHECKS]


def _head(file: InputFile) -> bytes:
    """Read a sample, or one byte more than a sample may have."""
    with open_input(file) as stream:
        return stream.read(SAMPLE_BYTES_MAX + 1)


def _source(adapter: PlatformAdapter, file: InputFile, *, mapping: str) -> SourceFormat:
    """Return how a sample is written: as the mapping says, else as the shipped one, else by its name."""
    if mapping:
        return select_scheme(adapter, [mapping]).programs[-1].source.format
    programs = shipped_programs(adapter.platform.replace("/", "-") + "/") if adapter.platform else []
    shipped = [program for program in programs if program.source.adapter == adapter.name]
    if shipped:
        return shipped[-1].source.format
    stem = Path(file.name.removesuffix(".gz").removesuffix(".zst"))
    if stem.suffix == ".parquet":
        return SourceFormat(kind="parquet")
    kind = "csv" if stem.suffix == ".csv" else "ndjson"
    return SourceFormat(kind="csv" if kind == "csv" else "ndjson", encodings=("utf-8", "gb18030"))
