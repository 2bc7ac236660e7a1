"""Join the parts of speaking to a gateway as a platform."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson

from gateway.client import GatewayClient
from gateway.errors import LocalFileError, UsageError
from gateway.store.files.durable import write_durably
from gateway.store.files.keys import FileSigner

__all__ = [
    "enrol",
    "fetch_receipt",
    "gateway_address",
    "publish_at",
    "submit_files",
    "waiting_at",
    "withdraw_at",
]


def gateway_address(url: str) -> str:
    """Return a gateway's address as its clients take it: without a slash at its end.

    Raises:
        UsageError: it is no address of http or https.
    """
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        known = False
    if not known:
        raise UsageError(
            f"{url!r} is no address of a gateway",
            remedy="write it as https://gw.example or http://127.0.0.1:8420",
        )
    return url.rstrip("/")


@contextmanager
def _gateway(url: str, key: Path | None) -> Iterator[GatewayClient]:
    address = gateway_address(url)
    signer = None if key is None else FileSigner(key, "http")
    with GatewayClient(url=address, signer=signer) as gateway:
        yield gateway


def enrol(url: str, key: Path, *, platform: str, code: str) -> dict[str, Any]:
    """Hand in a platform's first key with the code of its invitation.

    Raises:
        UsageError: there is no code.
    """
    if not code:
        raise UsageError(
            "no code came on standard input", remedy="hand in the code of the invitation, such as: < code.txt"
        )
    with _gateway(url, key) as gateway:
        return gateway.enrol(platform, code)


def submit_files(
    url: str,
    key: Path,
    *,
    mapping: str,
    files: list[Path],
    say: Callable[[str], None],
    rejected: Path | None = None,
) -> Iterator[dict[str, Any]]:
    """Upload files one after the other and yield what became of each; a repeated call is answered the same.

    Which rows were refused, and why, is written to ``rejected``, one JSON object a line.

    Raises:
        LocalFileError: a file cannot be read, or is empty.
    """
    lines: list[bytes] = []
    with _gateway(url, key) as gateway:
        for file in files:
            content = _content(file)
            if not content:
                raise LocalFileError(f"{file} is empty", remedy="name a file with rows in it")
            name = f"{mapping}\x00{file.name}\x00".encode()
            sent = gateway.upload(
                mapping, file.name, content=content, key=hashlib.sha256(name + content).hexdigest()
            )
            say(f"{file.name}: operation {sent['id']}")
            done = gateway.finished(sent["id"])
            refused = sum(done.get("summary", {}).get("rejected", {}).values())
            if rejected is not None and refused:
                lines += [orjson.dumps({"file": file.name, **row}) for row in gateway.rejections(sent["id"])]
            elif refused:
                say(f"{file.name}: rows that were refused: {refused}; --rejected FILE writes which, and why")
            yield {"file": file.name, **done}
    if rejected is not None:
        write_durably(rejected, b"".join(line + b"\n" for line in lines), mode=0o600)


def fetch_receipt(url: str, key: Path, *, record: str, batch: int | None, out: Path) -> None:
    """Fetch the receipt of a record into a file."""
    with _gateway(url, key) as gateway:
        write_durably(out, gateway.receipt(record, batch=batch))


def publish_at(url: str, publication: Path, *, key: Path | None, token: str) -> dict[str, Any]:
    """Hand in what maintainers have signed, by a platform's key or a coordinator's token.

    Returns:
        How far it is; where enough have signed, once it is published or refused.
    """
    with _gateway(url, key) as gateway:
        kept = gateway.publish_mapping(_content(publication).strip(), token=token)
        return gateway.published(kept["digest"])


def waiting_at(url: str, *, key: Path | None, token: str) -> list[dict[str, Any]]:
    """Return the mapping versions that wait for signatures at a gateway."""
    with _gateway(url, key) as gateway:
        return gateway.waiting_mappings(token=token)


def withdraw_at(url: str, digest: str, *, key: Path | None, token: str) -> dict[str, Any]:
    """Take a mapping version back at a gateway."""
    with _gateway(url, key) as gateway:
        return gateway.withdraw_mapping(digest, token=token)


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise LocalFileError(
            f"cannot read {file}: {error.strerror}", remedy="name a file that this user may read"
        ) from error
