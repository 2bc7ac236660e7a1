"""Every intermediate value of a receipt, computed without the gateway's code.

``python -m tests.acceptance.worked`` makes a new home and writes a new example into the page.
"""

import base64
import hashlib
import json
import os
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import rfc8785

from tests.acceptance.documents import ROOT, named

__all__ = ["PAGE", "filled_home", "shown", "values", "wrapped", "write_into"]

PAGE = ROOT / "docs/reference/worked-receipt.md"
PAYLOAD_TYPE = b"application/vnd.tanqiao.statement+json"
HEX_WIDTH = 96
TRIP = '{{"trip_id": "{}", "user_id": "{}", "trip_type": "{}", "distance_km": "{}", "start_time": "{}"}}\n'
SUBMISSIONS = (
    [("W1", "u1", "bicycle", "2", "2025-03-15T18:20:00+08:00")],
    [
        ("W2", "u1", "metro", "7.3", "2025-03-16T07:40:00+08:00"),
        ("W3", "u2", "bicycle", "1.25", "2025-03-16T07:55:00+08:00"),
        ("W4", "u3", "metro", "10.574", "2025-03-16T08:00:00+08:00"),
        ("W5", "u4", "metro", "3.141", "2025-03-16T08:05:00+08:00"),
        ("W6", "u5", "bicycle", "4.2", "2025-03-16T08:10:00+08:00"),
    ],
    [("W7", "u2", "metro", "12", "2025-03-17T09:00:00+08:00")],
)
SHOWN_EVENT = "W4"


def values(receipt: dict[str, Any], *, policy: str, ring: dict[str, Any]) -> dict[str, str]:
    """Return every value that the page shows, by its name there, beside the receipt and the trust files."""
    record, statement, proof = receipt["record"], receipt["statement"], receipt["record_proof"]
    opened = receipt["disclosures"][0]
    committed = b"tanqiao/commit/1\x00" + opened["field"].encode() + b"\x00"
    committed += bytes.fromhex(opened["salt"]) + opened["value"].encode()
    payload, signature = rfc8785.dumps(statement["body"]), statement["signatures"][0]
    signer = next(key for key in ring["keys"] if key["id"] == signature["key"])
    head, _, note = receipt["log_proof"].partition("\n\n")
    _, index, *hashes = head.split("\n")
    text, _, lines = note.partition("\n\n")
    size = int(text.split("\n")[1])
    name, _, log_key = policy.splitlines()[0].removeprefix("log ").split("+", 2)
    signed = base64.b64decode(lines.strip().rpartition(" ")[2])
    log_path = [base64.b64decode(line) for line in hashes]
    record_path = [bytes.fromhex(hashed) for hashed in proof["hashes"]]
    return {
        "commitment-bytes": wrapped(committed),
        "commitment": hashlib.sha256(committed).hexdigest(),
        "record-bytes": wrapped(rfc8785.dumps(record)),
        "record-leaf": _leaf(rfc8785.dumps(record)).hex(),
        "record-path": _steps(_leaf(rfc8785.dumps(record)), record_path, proof["index"], proof["size"]),
        "payload": wrapped(payload),
        "signed-bytes": wrapped(
            b"DSSEv1 %d %s %d %s" % (len(PAYLOAD_TYPE), PAYLOAD_TYPE, len(payload), payload)
        ),
        "record-key": base64.b64decode(signer["public"]).hex(),
        "record-key-id": _key_id(base64.b64decode(signer["public"])),
        "statement-signature": wrapped(base64.b64decode(signature["value"])),
        "entry-bytes": wrapped(rfc8785.dumps(statement)),
        "entry-leaf": _leaf(rfc8785.dumps(statement)).hex(),
        "entry-path": _steps(_leaf(rfc8785.dumps(statement)), log_path, int(index.split(" ")[1]), size),
        "checkpoint": note.rstrip("\n"),
        "checkpoint-bytes": wrapped(text.encode() + b"\n"),
        "log-key": base64.b64decode(log_key)[1:].hex(),
        "log-key-hash": hashlib.sha256(name.encode() + b"\n" + base64.b64decode(log_key)).hexdigest()[:8],
        "checkpoint-signature": f"{signed[:4].hex()}\n{wrapped(signed[4:])}",
    }


def shown(page: Path = PAGE) -> dict[str, str]:
    """Return the values as the page shows them."""
    return named(page)


def wrapped(data: bytes) -> str:
    """Return bytes in hexadecimal, in lines as the pages show them."""
    text = data.hex()
    return "\n".join(text[start : start + HEX_WIDTH] for start in range(0, len(text), HEX_WIDTH))


def _leaf(data: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + data).digest()


def _steps(hashed: bytes, path: list[bytes], index: int, size: int) -> str:
    """Return one line a step: on which side the other node stands, the other node, the node above both."""
    lines, last = [], size - 1
    for other in path:
        while index == last and not index % 2:  # without a neighbour a node moves up as it is
            index, last = index // 2, last // 2
        stands_left = bool(index % 2)
        pair = other + hashed if stands_left else hashed + other
        hashed = hashlib.sha256(b"\x01" + pair).digest()
        lines.append(f"{'left' if stands_left else 'right':5} {other.hex()}\n   -> {hashed.hex()}")
        index, last = index // 2, last // 2
    return "\n".join(lines)


def _key_id(public: bytes) -> str:
    material = b"tanqiao/key/1\x00record\x00Ed25519\x00" + public
    return "record-" + hashlib.sha256(material).hexdigest()[:32]


def main() -> None:
    """Make a home, take one receipt of it, and put all its values into the page."""
    with tempfile.TemporaryDirectory() as folder:
        receipt, policy, ring = _made(Path(folder))
    found = {
        "receipt.json": json.dumps(receipt, indent=1, ensure_ascii=False),
        "policy": policy.rstrip("\n"),
        "keys.json": json.dumps(ring, indent=1),
        **values(receipt, policy=policy, ring=ring),
    }
    write_into(PAGE, found)


def write_into(page: Path, found: dict[str, str]) -> None:
    """Put values into the blocks of a page that are named after them."""
    text = page.read_text("utf-8")
    for name, value in found.items():
        before, _, rest = text.partition(f"\n`{name}`\n```")
        kind, _, rest = rest.partition("\n")
        _, _, after = rest.partition("\n```\n") if not rest.startswith("```\n") else ("", "", rest[4:])
        text = f"{before}\n`{name}`\n```{kind}\n{value}\n```\n{after}"
    page.write_text(text, "utf-8")


def _made(folder: Path) -> tuple[dict[str, Any], str, dict[str, Any]]:
    tanqiao = filled_home(folder)
    (found,) = json.loads(tanqiao("record", "find", SHOWN_EVENT))
    receipt = json.loads(tanqiao("receipt", "show", found["id"], "--disclose", "event"))
    trust = folder / "home" / "trust"
    return receipt, (trust / "policy").read_text("utf-8"), json.loads((trust / "keys.json").read_bytes())


def filled_home(folder: Path) -> Callable[..., str]:
    """Make the home of the examples below a folder; return what runs further commands on it."""
    environment = {**os.environ, "TANQIAO_STATE": str(folder / "state"), "TANQIAO_HOME": str(folder / "home")}

    def tanqiao(*arguments: str) -> str:
        command = ["tanqiao", *arguments]
        return subprocess.run(
            command, cwd=folder, env=environment, check=True, capture_output=True, text=True
        ).stdout

    tanqiao("init", "--profile", "test", "--origin", "worked.example")
    for number, trips in enumerate(SUBMISSIONS):
        path = folder / f"trips-{number}.ndjson"
        path.write_text("".join(TRIP.format(*trip) for trip in trips), "utf-8")
        tanqiao("convert", str(path), "--mapping", "cn-420100/wuhan/travel")
    return tanqiao


if __name__ == "__main__":
    main()
