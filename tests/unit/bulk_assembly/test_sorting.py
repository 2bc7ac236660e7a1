"""Sorting outside of memory: the order, the temporary files, the memory."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.bulk.sorting import ExternalSort, external_sort

ITEM = st.tuples(st.binary(max_size=6), st.binary(max_size=6))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(items=st.lists(ITEM), memory=st.sampled_from([0, 500, 1 << 20]))
def test_payloads_come_by_key_whatever_the_memory(
    tmp_path: Path, items: list[tuple[bytes, bytes]], memory: int
) -> None:
    assert list(external_sort(items, tmp_path, memory=memory)) == [payload for _, payload in sorted(items)]


def test_more_runs_than_are_merged_at_once_come_in_order(tmp_path: Path) -> None:
    items = [((n * 7919 % 1000).to_bytes(2, "big"), str(n).encode()) for n in range(1000)]

    found = list(external_sort(iter(items), tmp_path, memory=0))

    assert found == [payload for _, payload in sorted(items)]


def test_nothing_is_left_in_the_folder_while_sorting_or_after(tmp_path: Path) -> None:
    drained = external_sort(((b"%d" % n, b"") for n in range(100)), tmp_path, memory=0)
    next(drained)
    during = list(tmp_path.iterdir())
    drained.close()  # type: ignore[attr-defined]  # it is a generator

    assert during == []
    assert list(tmp_path.iterdir()) == []


def test_files_are_closed_when_the_source_fails(tmp_path: Path) -> None:
    def failing() -> Iterator[tuple[bytes, bytes]]:
        yield from ((b"%d" % n, b"") for n in range(200))
        raise RuntimeError("source")

    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    with pytest.raises(RuntimeError, match="source"):
        list(external_sort(failing(), tmp_path, memory=0))
    after = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0

    assert after == before
    assert list(tmp_path.iterdir()) == []


def test_sort_of_nothing_is_nothing(tmp_path: Path) -> None:
    with ExternalSort(tmp_path, 1) as sort:
        assert list(sort.drain()) == []


PEAK = """
import sys
from pathlib import Path
from gateway.bulk.sorting import external_sort
count = int(sys.argv[2])
items = ((b"%020d" % (n * 2654435761 % 2**32), b"x" * 200) for n in range(count))
assert sum(1 for _ in external_sort(items, Path(sys.argv[1]), memory=4 << 20)) == count
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


# The peak that getrusage gives contains that of the parent before exec; VmHWM starts anew.
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak is read from Linux's /proc")
def test_peak_memory_does_not_grow_with_the_input(tmp_path: Path) -> None:
    def peak_kib(count: int) -> int:
        command = [sys.executable, "-c", PEAK, str(tmp_path), str(count)]
        return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    small, large = peak_kib(30_000), peak_kib(300_000)

    assert large - small < 16 * 1024  # of the 60 MB that the rows take
