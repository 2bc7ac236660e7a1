"""Opening the files of a submission: only regular ones, hashed, named apart, within limits."""

import gzip
import hashlib
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from itertools import permutations
from pathlib import Path

import pytest
import zstandard

from gateway.errors import LocalFileError, MalformedDocument
from gateway.store.files.inputs import ExpansionLimits, inspect_input, open_input, order_inputs

DATA = b"".join(b"row %d of a submission\n" % n for n in range(50_000))


def read(path: Path, limits: ExpansionLimits | None = None) -> bytes:
    with open_input(inspect_input(path), limits=limits) as document:
        return document.read()


def zstd(data: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(data)


Pack = Callable[[bytes], bytes]
PACK = [pytest.param(gzip.compress, id="gzip"), pytest.param(zstd, id="zstd")]


def test_digest_and_size_are_those_of_the_bytes_on_disk(tmp_path: Path) -> None:
    path = tmp_path / "a.csv.gz"
    path.write_bytes(packed := gzip.compress(DATA))

    file = inspect_input(path)

    assert (file.name, file.digest, file.size) == (
        "a.csv.gz",
        hashlib.sha256(packed).hexdigest(),
        len(packed),
    )


def test_plain_file_is_handed_over_as_it_is_and_can_be_sought_in(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(DATA)

    with open_input(inspect_input(path)) as document:
        assert document.readline(5) == b"row 0"
        assert document.seek(0, os.SEEK_END) == len(DATA)


@pytest.mark.parametrize("pack", PACK)
def test_compressed_file_is_known_by_its_first_bytes_not_by_its_name(tmp_path: Path, pack: Pack) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(pack(DATA))

    assert read(path) == DATA


@pytest.mark.parametrize("pack", PACK)
def test_members_one_after_the_other_are_read_as_one_document(tmp_path: Path, pack: Pack) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(pack(DATA) + pack(b"") + pack(b"the last row"))

    assert read(path) == DATA + b"the last row"


@pytest.mark.parametrize("pack", PACK)
@pytest.mark.parametrize("cut", [1, 9, 1000])
def test_file_that_was_cut_short_is_refused_by_name(tmp_path: Path, pack: Pack, cut: int) -> None:
    path = tmp_path / "fares.gz"
    path.write_bytes(pack(DATA)[:-cut])

    with pytest.raises(MalformedDocument, match=r"fares\.gz is cut short") as refused:
        read(path)

    assert refused.value.code == "malformed-document"


@pytest.mark.parametrize("pack", PACK)
def test_second_member_that_was_cut_short_is_refused(tmp_path: Path, pack: Pack) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(pack(DATA) + pack(DATA)[:20])

    with pytest.raises(MalformedDocument, match="cut short"):
        read(path)


def test_damaged_bytes_are_found_by_the_check_sum(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(DATA))
    packed[-6] ^= 1
    path = tmp_path / "a.gz"
    path.write_bytes(packed)

    with pytest.raises(MalformedDocument, match=r"a\.gz is damaged"):
        read(path)


@pytest.mark.parametrize("pack", PACK)
def test_rubbish_behind_the_last_member_is_refused(tmp_path: Path, pack: Pack) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(pack(DATA) + b"rubbish behind it")

    with pytest.raises(MalformedDocument, match="is damaged"):
        read(path)


@pytest.mark.parametrize("pack", PACK)
def test_expansion_beyond_the_ratio_is_refused_and_at_it_is_not(tmp_path: Path, pack: Pack) -> None:
    path = tmp_path / "bomb.gz"
    path.write_bytes(packed := pack(b"\0" * 3_000_000))
    ratio = 3_000_000 // len(packed)

    def limits(most: int) -> ExpansionLimits:
        return ExpansionLimits(ratio=most, ratio_from_bytes=1)

    assert len(read(path, limits(ratio + 1))) == 3_000_000
    with pytest.raises(MalformedDocument, match=r"bomb\.gz expands from"):
        read(path, limits(ratio - 1))


def test_small_document_may_expand_as_much_as_it_likes(tmp_path: Path) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(b"\0" * 1000))

    assert len(read(path, ExpansionLimits(ratio=1, ratio_from_bytes=1000))) == 1000
    with pytest.raises(MalformedDocument):
        read(path, ExpansionLimits(ratio=1, ratio_from_bytes=999))


def test_total_is_limited_whatever_the_ratio(tmp_path: Path) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(DATA))

    assert len(read(path, ExpansionLimits(total_bytes=len(DATA)))) == len(DATA)
    with pytest.raises(MalformedDocument, match=f"more than {len(DATA) - 1} bytes"):
        read(path, ExpansionLimits(total_bytes=len(DATA) - 1))


@pytest.mark.parametrize(
    ("magic", "said"),
    [(b"PK\x03\x04", "ZIP"), (b"BZh9", "bzip2"), (b"\xfd7zXZ\0", "xz"), (b"\xd0\xcf\x11\xe0", "xls")],
)
def test_other_archive_is_refused_with_what_to_do(tmp_path: Path, magic: bytes, said: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(magic + b"rest")

    with pytest.raises(MalformedDocument, match=said) as refused:
        read(path)

    assert "CSV" in refused.value.remedy


def test_link_to_a_regular_file_is_followed_and_keeps_its_own_name(tmp_path: Path) -> None:
    (tmp_path / "real.csv").write_bytes(DATA)
    (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")

    assert inspect_input(tmp_path / "link.csv").name == "link.csv"
    assert read(tmp_path / "link.csv") == DATA


def test_name_that_is_no_text_is_written_so_that_it_is(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"taps-\xff.csv")
    path.write_bytes(DATA)

    assert inspect_input(path).name == "taps-\\xff.csv"
    assert read(path) == DATA


def make_folder(path: Path) -> None:
    path.mkdir()


def make_socket(path: Path) -> None:
    here = os.getcwd()
    os.chdir(path.parent)  # the path of a socket is short
    try:
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(path.name)
    finally:
        os.chdir(here)


def make_link_to_device(path: Path) -> None:
    path.symlink_to("/dev/null")


@pytest.mark.parametrize(
    ("make", "remedy"),
    [
        pytest.param(make_folder, "name the files inside", id="folder"),
        pytest.param(os.mkfifo, "save the data into a file", id="pipe"),
        pytest.param(make_socket, "save the data into a file", id="socket"),
        pytest.param(make_link_to_device, "save the data into a file", id="device"),
        pytest.param(lambda _path: None, "exists", id="nothing"),
        pytest.param(lambda path: path.symlink_to("nowhere"), "exists", id="dangling link"),
    ],
)
def test_what_is_not_a_regular_file_is_refused_with_what_to_do(
    tmp_path: Path, make: Callable[[Path], object], remedy: str
) -> None:
    make(tmp_path / "input")

    with pytest.raises(LocalFileError, match="input") as refused:
        inspect_input(tmp_path / "input")

    assert refused.value.code == "local-file"
    assert remedy in refused.value.remedy


def test_file_changed_between_hashing_and_reading_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"first")
    file = inspect_input(path)
    path.write_bytes(b"other content")
    used = []

    def use() -> None:
        with open_input(file) as document:
            used.append(document)

    with pytest.raises(LocalFileError, match="changed"):
        use()
    assert used == []


def test_file_changed_or_removed_while_it_is_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"first")

    with pytest.raises(LocalFileError, match="changed"), open_input(inspect_input(path)):
        path.write_bytes(b"first and more")
    with pytest.raises(LocalFileError, match="changed"), open_input(inspect_input(path)):
        path.unlink()


def test_files_come_by_name_and_digest_whatever_the_order_of_the_arguments(tmp_path: Path) -> None:
    paths = []
    for folder, name, text in [
        ("x", "b.csv", "1"),
        ("y", "b.csv", "2"),
        ("y", "a.csv", "3"),
        ("x", "c.csv", "4"),
    ]:
        path = tmp_path / folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
        paths.append(path)

    orders = {
        tuple((file.name, file.digest) for file in order_inputs(order)) for order in permutations(paths)
    }

    (only,) = orders
    assert [name for name, _ in only] == ["a.csv", "b.csv", "b.csv~2", "c.csv"]
    assert only[1][1] < only[2][1]


def test_file_given_twice_is_read_twice_under_two_names(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(DATA)

    files = order_inputs([path, path])

    assert [file.name for file in files] == ["a.csv", "a.csv~2"]
    assert files[0].digest == files[1].digest


def test_name_given_to_a_second_file_is_never_that_of_a_third(tmp_path: Path) -> None:
    for folder, name in [("x", "a"), ("y", "a"), ("x", "a~2")]:
        path = tmp_path / folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(folder, "utf-8")

    names = [
        file.name
        for file in order_inputs([tmp_path / "x" / "a", tmp_path / "y" / "a", tmp_path / "x" / "a~2"])
    ]

    assert sorted(names) == ["a", "a~2", "a~3"]


PEAK = """
import sys
from pathlib import Path
from gateway.contract import read_csv
from gateway.model.source import SourceFormat
from gateway.store.files.inputs import inspect_input, open_input
with open_input(inspect_input(Path(sys.argv[1]))) as document:
    count = sum(1 for _ in read_csv(document, "big", source=SourceFormat(kind="csv")))
print(count)
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


# The peak that getrusage gives contains that of the parent before exec; VmHWM starts anew.
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak is read from Linux's /proc")
@pytest.mark.parametrize("pack", [*PACK, pytest.param(bytes, id="plain")])
def test_peak_memory_does_not_grow_with_the_file_nor_with_a_row_without_end(
    tmp_path: Path, pack: Pack
) -> None:
    def peak_kib(rows: int, endless: int) -> int:
        path = tmp_path / "big.csv"
        path.write_bytes(pack(b"a,b\n" + b"12345,67890\n" * rows + b"1," + b"x" * endless + b"\n"))
        found = subprocess.run(
            [sys.executable, "-c", PEAK, str(path)], check=True, capture_output=True, text=True
        )
        count, peak = map(int, found.stdout.split())
        assert count == rows + 1
        return peak

    small, large = peak_kib(1000, 1000), peak_kib(500_000, 100_000_000)

    assert large - small < 40 * 1024  # of 106 MB
