"""The two number and byte spellings that every C2SP text shares, read so that each value has one spelling."""

import binascii
import re
from base64 import b64decode, b64encode
from typing import Final

from gateway.errors import MalformedDocument

__all__ = ["COUNT_MAX", "MalformedLogText", "read_base64", "read_count", "write_base64"]

COUNT_MAX: Final = 2**63 - 1  # what the integers of other implementations hold
_COUNT: Final = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)


class MalformedLogText(MalformedDocument):
    """A note, key, checkpoint, policy or proof is not written as its specification demands."""

    code = "malformed-log-text"
    remedy = (
        "get the text again from its source, unchanged; editors and mail programs alter line ends and spaces"
    )


def read_count(text: str, where: str) -> int:
    """Read a decimal without leading zeros, at most 2**63 - 1."""
    if not _COUNT.fullmatch(text) or int(text) > COUNT_MAX:
        raise MalformedLogText(f"{where}: expected a decimal of at most {COUNT_MAX}, found {text[:40]!r}")
    return int(text)


def read_base64(text: str, where: str) -> bytes:
    """Read standard base64 with padding, in its only spelling."""
    try:
        data = b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedLogText(f"{where}: expected base64, found {text[:60]!r}") from error
    if write_base64(data) != text:  # the unused bits of the last character must be zero
        raise MalformedLogText(f"{where}: this base64 is not in its canonical spelling: {text[:60]!r}")
    return data


def write_base64(data: bytes) -> str:
    """Write standard base64 with padding."""
    return b64encode(data).decode("ascii")
