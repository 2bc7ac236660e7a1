"""Files that are not what they say: refused whole, with a stable code, and memory stays flat."""

import gzip
import io
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from tests.acceptance.commands import tanqiao
from tests.acceptance.documents import ROOT
from tests.acceptance.hostile import CSV_HEADER, act, converted, mapping_for, new_home, require_refused, ride
from tests.fakes.homes import WUHAN, bytes_below

GOOD = act() + b"\n"
WINDOW_OF_2_GB = b"\x28\xb5\x2f\xfd\x00\xf8" + bytes(20)
MIB = 1024 * 1024


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with new_home(tmp_path_factory.mktemp("files")) as made:
        yield made


def packed_zeros(count: int) -> bytes:
    return gzip.compress(bytes(MIB)) * count  # a file of many members is read as one


WHOLE: dict[str, tuple[Callable[[], bytes], str]] = {
    "UTF-16": (lambda: GOOD.decode().encode("utf-16"), "is not text in utf-8"),
    "UTF-16 without its mark": (lambda: GOOD.decode().encode("utf-16-le"), "full of zero bytes"),
    "zero bytes": (lambda: bytes(5000), "full of zero bytes"),
    "array": (lambda: b"[" + GOOD + b"]", "one JSON object per line"),
    "page": (lambda: b"<!DOCTYPE html>\n<html></html>\n", "one JSON object per line"),
    "workbook": (lambda: b"PK\x03\x04" + bytes(100), "a ZIP archive or a workbook"),
    "bzip2": (lambda: b"BZh91AY&SY", "bzip2"),
    "gzip cut short": (lambda: gzip.compress(GOOD * 100)[:-9], "cut short"),
    "gzip, two bytes": (lambda: b"\x1f\x8b", "cut short"),
    "gzip and more": (lambda: gzip.compress(GOOD) + b"more", "is damaged"),
    "gzip in gzip": (lambda: gzip.compress(gzip.compress(GOOD)), "is not text in utf-8"),
    "gzip bomb": (lambda: packed_zeros(257), "expands from"),
    "Zstandard cut short": (lambda: zstandard.compress(GOOD * 100)[:-3], "cut short"),
    "Zstandard bomb": (lambda: zstandard.compress(bytes(300 * MIB)), "expands from"),
    "Zstandard with a window of 2 GB": (lambda: WINDOW_OF_2_GB, "too much memory"),
}


@pytest.mark.parametrize("name", WHOLE)
def test_file_that_is_not_what_it_says_is_refused_whole(name: str, home: Path, tmp_path: Path) -> None:
    make, says = WHOLE[name]
    file = tmp_path / "acts.ndjson"
    file.write_bytes(make())
    before = bytes_below(home / "records", home / "log", home / "quarantine")

    done = tanqiao("convert", file, "--home", home, "--mapping", WUHAN)

    require_refused(done, 4, "malformed-document", says=says)
    assert "acts.ndjson" in done.stderr
    assert bytes_below(home / "records", home / "log", home / "quarantine") == before


def listening(path: Path) -> None:
    here = Path.cwd()
    os.chdir(path.parent)  # the path of a socket is short
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(here)


PLACES: dict[str, Callable[[Path], object]] = {
    "folder": Path.mkdir,
    "pipe": os.mkfifo,
    "socket": listening,
    "endless device": lambda path: path.symlink_to("/dev/zero"),
    "link to itself": lambda path: path.symlink_to(path),
    "nothing": lambda _path: None,
}
COMMANDS: dict[str, Callable[[Path, Path], list[str | Path]]] = {
    "convert": lambda path, home: ["convert", path, "--home", home, "--mapping", WUHAN],
    "convert by mapping": lambda path, home: ["convert", path, "--home", home, "--mapping", path],
    "adapter explain": lambda path, _home: ["adapter", "explain", path, "--row", "1", "--mapping", WUHAN],
    "mapping check": lambda path, _home: ["mapping", "check", path],
    "mapping coverage": lambda path, _home: ["mapping", "coverage", path],
    "receipt verify": lambda path, home: ["receipt", "verify", path, "--trust", home / "trust"],
    "receipt verify by mapping": lambda path, home: [
        "receipt", "verify", path, "--trust", home / "trust", "--mapping", path,
    ],
    "log verify": lambda path, home: ["log", "verify", home / "log", "--policy", path],
    "log verify --older": lambda path, home: [
        "log", "verify", home / "log", "--policy", home / "trust" / "policy", "--older", path,
    ],
}  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_what_is_no_regular_file_is_refused_by_every_command(place: str, home: Path, tmp_path: Path) -> None:
    PLACES[place](tmp_path / "input.yaml")

    for make in COMMANDS.values():
        done = tanqiao(*make(tmp_path / "input.yaml", home))

        require_refused(done, 3, "local-file", says="input.yaml")


def test_document_larger_than_any_of_its_kind_is_refused_unread(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "large.yaml"
    with path.open("wb") as file:
        file.truncate(100 * 1024 * MIB)  # sparse

    for name, make in COMMANDS.items():
        if not name.startswith("convert") and name != "adapter explain":
            require_refused(
                tanqiao(*make(path, home)), 4, "malformed-document", says="large.yaml has more than"
            )


def test_name_of_a_file_is_shown_and_not_sent(home: Path, tmp_path: Path) -> None:
    for name in ("a\x1b]0;x\x07\u202e.ndjson", os.fsdecode(b"\xff\x9b.ndjson")):
        (tmp_path / name).write_bytes(b"[\n")

        done = tanqiao("convert", tmp_path / name, "--home", home, "--mapping", WUHAN)

        require_refused(done, 4, "malformed-document")


def parquet(table: "pa.Table", **options: object) -> bytes:
    stream = io.BytesIO()
    pq.write_table(table, stream, **options)  # type: ignore[arg-type]  # the options of one case each
    return stream.getvalue()


def rides(count: int = 3) -> "pa.Table":
    cells = [ride().strip().split(",") for _ in range(count)]
    return pa.table(
        dict(zip(CSV_HEADER.strip().split(","), map(list, zip(*cells, strict=True)), strict=True))
    )


def damaged(data: bytes, at: int) -> bytes:
    return data[:at] + bytes(byte ^ 0xFF for byte in data[at : at + 8]) + data[at + 8 :]


def many_rows() -> "pa.Table":
    count = 4 * MIB + 1
    return pa.table({"x": np.zeros(count, dtype=np.int8)})


MAP = pa.map_(pa.string(), pa.int8())
PARQUET: dict[str, tuple[Callable[[], bytes], str]] = {
    "only its mark": (lambda: b"PAR1PAR1", "not a readable Parquet file"),
    "text": (lambda: GOOD, "not a readable Parquet file"),
    "cut short": (lambda: parquet(rides())[:-20], "not a readable Parquet file"),
    "damaged footer": (lambda: damaged(parquet(rides()), -60), "f.parquet"),
    "damaged page header": (lambda: damaged(parquet(rides()), 4), "a page header is damaged"),
    "damaged page": (
        lambda: damaged(parquet(rides(), compression="none", write_page_checksum=True), 60), "not a readable",
    ),
    "inside gzip": (lambda: gzip.compress(parquet(rides())), "compressed as a whole"),
    "binary floating point": (lambda: parquet(pa.table({"里程": [1.5]})), "has the type double"),
    "list": (lambda: parquet(pa.table({"a": [[1]]})), "has the type list"),
    "struct": (lambda: parquet(pa.table({"a": [{"b": 1}]})), "has the type struct"),
    "map": (lambda: parquet(pa.table({"a": pa.array([[("k", 1)]], MAP)})), "has the type map"),
    "bytes": (lambda: parquet(pa.table({"a": [b"\xff"]})), "has the type binary"),
    "a page of 130 MB": (
        lambda: parquet(
            pa.table({"a": ["x" * (130 * MIB)]}),
            compression="zstd", use_dictionary=False, write_statistics=False,
        ),
        "pages that take",
    ),
    "four million equal rows": (lambda: parquet(many_rows(), row_group_size=5 * MIB), "more than a file"),
}  # fmt: skip


@pytest.mark.parametrize("name", PARQUET)
def test_parquet_that_cannot_be_read_is_refused_whole(name: str, home: Path, tmp_path: Path) -> None:
    make, says = PARQUET[name]
    (tmp_path / "f.parquet").write_bytes(make())
    mapping = mapping_for("parquet", tmp_path / "parquet.yaml")

    done = tanqiao("convert", tmp_path / "f.parquet", "--home", home, "--mapping", mapping)

    require_refused(done, 4, "malformed-document", says=says)


def test_value_that_is_no_text_costs_its_row_and_a_wrong_column_every_row(home: Path, tmp_path: Path) -> None:
    table = rides()
    mapping = mapping_for("parquet", tmp_path / "parquet.yaml")
    wrong = table.set_column(1, "用户", pa.array([b"u", b"\xff", b"u"]).view(pa.string()))
    (tmp_path / "wrong.parquet").write_bytes(parquet(wrong))
    (tmp_path / "other.parquet").write_bytes(parquet(pa.table({"another": ["column"]})))

    found = converted(tmp_path / "wrong.parquet", home, mapping=mapping)

    assert (found["accepted"], found["rejected"]) == (2, {"malformed-row": 1})
    assert converted(tmp_path / "other.parquet", home, mapping=mapping)["rejected"] == {"missing-field": 1}


CHILD = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
from gateway.cli.root import run
code = run(sys.argv[1:])
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
sys.exit(code)
"""


def sparse(path: Path, before: bytes, after: bytes) -> None:
    """Write 100 MB of zero bytes between two texts; they take no room on the disk."""
    with path.open("wb") as file:
        file.write(before)
        file.seek(100_000_000, os.SEEK_CUR)
        file.write(after)


def dictionary_bomb(path: Path) -> None:
    """Write 10,000 rows that each name one text of 60,000 characters: 3.6 GB in some kilobytes."""
    long = pa.DictionaryArray.from_arrays(
        pa.array(np.zeros(10_000, dtype=np.int32)), pa.array(["x" * 60_000])
    )
    columns = dict.fromkeys(CSV_HEADER.strip().split(","), long)
    path.write_bytes(parquet(pa.table(columns | {"more": long}), compression="zstd"))


LARGE: dict[str, tuple[str, Callable[[Path], None], int]] = {
    "row of 100 MB": ("ndjson", lambda path: sparse(path, GOOD + b'{"a":"', b'"}\n' + GOOD), 0),
    "quoted cell of 100 MB": (
        "csv", lambda path: sparse(path, (CSV_HEADER + ride() + '"').encode(), b'",a\n' + ride().encode()), 0,
    ),
    "gzip bomb": ("ndjson", lambda path: _write(path, packed_zeros(257)), 4),
    "Zstandard bomb": ("ndjson", lambda path: _write(path, zstandard.compress(bytes(300 * MIB))), 4),
    "dictionary bomb": ("parquet", dictionary_bomb, 0),
}  # fmt: skip


def _write(path: Path, data: bytes) -> None:
    path.write_bytes(data)


# The peak that getrusage gives contains that of the parent before exec; VmHWM starts anew.
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak is read from Linux's /proc")
@pytest.mark.parametrize("name", LARGE)
def test_memory_stays_flat(name: str, tmp_path: Path) -> None:
    kind, make, expected = LARGE[name]
    file = tmp_path / f"large.{kind}"
    make(file)
    mapping = WUHAN if kind == "ndjson" else mapping_for(kind, tmp_path / "mapping.yaml")
    with new_home(tmp_path) as home:
        command = [
            sys.executable,
            "-c",
            CHILD,
            "convert",
            file,
            "--home",
            home,
            "--mapping",
            mapping,
            "--dry-run",
        ]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)

    assert done.returncode == expected, done.stderr
    assert "Traceback" not in done.stderr
    peak_kib = int(done.stdout.split()[-1])
    assert peak_kib < 600 * 1024
