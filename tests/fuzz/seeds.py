"""What each target begins with: the vectors, cases, mappings and the worked receipt of the repository."""

import io
import json
from collections.abc import Iterator
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq

from gateway.transparency import ForkEvidence, WitnessRequest
from tests.acceptance.documents import ROOT
from tests.fakes.homes import trip
from tests.fuzz.documents import WORKED

__all__ = ["seeds", "words"]

_CASES = ROOT / "tests/platforms"
_LATER = ("bank_acts", "paged_dump", "monthly_settlement", "project_register")
_VECTORS = ROOT / "tests/vectors/transparency"


def seeds(target: str) -> list[bytes]:
    """Return the first inputs of a target."""
    return list(_SEEDS[target]())


def _adapter() -> Iterator[bytes]:
    for path in sorted(_CASES.glob("common/cases/*/*")):
        if path.suffix in {".csv", ".ndjson"}:
            data = path.read_bytes()
            modes = (0, 1, 2) if path.suffix == ".csv" else (3, 4)
            yield from (bytes([mode]) + data for mode in modes)
    for path in sorted(_CASES.glob("shenzhen_transit/cases/*/*")):
        if path.suffix in {".csv", ".json"} and path.name != "expected.json":
            yield b"\x06" + path.read_bytes()
    for mode, adapter in enumerate(_LATER, start=7):
        for path in sorted(_CASES.glob(f"{adapter}/cases/*/*")):
            if path.name != "expected.json":
                yield bytes([mode]) + path.read_bytes()
    rows = [trip(number) for number in range(3)]
    yield b"\x03" + b"".join(json.dumps(row).encode() + b"\n" for row in rows)
    yield b"\x05" + _parquet(pa.table({name: [row[name] for row in rows] for name in rows[0]}))
    yield b"\x05" + _parquet(pa.table({"a": [1, None], "b": [Decimal("1.50"), Decimal("-2.00")]}))


def _parquet(table: "pa.Table") -> bytes:
    written = io.BytesIO()
    pq.write_table(table, written)
    return written.getvalue()


def _mapping() -> Iterator[bytes]:
    for path in (*(ROOT / "mappings").glob("*/*.yaml"), *(ROOT / "tests/mappings").rglob("*.yaml")):
        yield path.read_bytes()


def _strict() -> Iterator[bytes]:
    yield from (WORKED[name].encode() for name in ("receipt.json", "keys.json"))
    yield b'{"a":[true,false,1,-7,9007199254740991],"b":{"c":"\xe6\xb1\x89","d":"\\u6c49 \\ud83d\\ude00"}}'


def _note() -> Iterator[bytes]:
    yield (WORKED["checkpoint"] + "\n").encode()
    yield bytes.fromhex(WORKED["checkpoint-bytes"].replace("\n", ""))
    yield json.loads(WORKED["receipt.json"])["log_proof"].encode()
    note = (WORKED["checkpoint"] + "\n").encode()
    yield bytes(WitnessRequest(7, (bytes(32), bytes(32)), note))
    yield bytes(ForkEvidence(note, note, bytes(32), (bytes(32),)))
    yield from (
        path.read_bytes() for path in sorted(_VECTORS.iterdir()) if path.suffix not in {".md", ".json"}
    )


def _receipt() -> Iterator[bytes]:
    yield WORKED["receipt.json"].encode()


def _policy() -> Iterator[bytes]:
    yield (WORKED["policy"] + "\n").encode()
    yield WORKED["keys.json"].encode()
    yield (_VECTORS / "policy").read_bytes()


def words(target: str) -> list[bytes]:
    """Return the words that an input of a target is likely to need."""
    return [word.encode() for word in _WORDS[target].split(" ")] + [
        b'\\"',
        b"\\u",
        b"\\ud800",
        b"\xef\xbb\xbf",
    ]


_SEEDS = {
    "adapter": _adapter,
    "mapping": _mapping,
    "strict": _strict,
    "note": _note,
    "receipt": _receipt,
    "policy": _policy,
}
_WORDS = {
    "adapter": "trip_id user_id trip_type start_time distance_km metro bicycle 2025-03-16T08:00:00+08:00"
    " card_no deal_date deal_type equ_no deal_value 地铁入站 地铁出站 巴士 PAR1 NaN 1e999 ../ １２３ data",
    "mapping": "mapping: version: title: basis: source: formula: steps: credit: caps: tests: expect: reject:"
    " sequence: given: {} [] min( max( floor( piecewise: linear: rounding: half_up places: gCO2e/km P1Y"
    " !!python & * <<: --- ...",
    "strict": "NaN Infinity -0 1e5 9007199254740992 null \\u0000 \\u202e {} []",
    "note": "c2sp.org/tlog-proof@v1 index extra old tanqiao/log-fork/1 earlier later root hashes"
    " — 0 1 18446744073709551615 + =",
    "receipt": "tanqiao/conversion/1 tanqiao/batch/1 TRV-METRO TRV-BUS distance value unit co2e_mg points"
    " uncapped 2025-02-30 0000-00-00 9999-12-31 event subject claim",
    "policy": "log witness group quorum none all any # Ed25519 since revoked retired record http recovery"
    " tanqiao/keys/1",
}
