"""The targets: each takes any bytes, and returns or raises a documented error."""

from collections.abc import Callable

from gateway.errors import GatewayError, InvariantBroken
from tests.fuzz.adapter import read_document
from tests.fuzz.documents import read_mapping, read_policy_file, read_receipt, read_signed_json, read_texts

__all__ = ["TARGETS", "TREES", "run"]

TARGETS: dict[str, Callable[[bytes], None]] = {
    "adapter": read_document,
    "mapping": read_mapping,
    "strict": read_signed_json,
    "note": read_texts,
    "receipt": read_receipt,
    "policy": read_policy_file,
}
TREES = frozenset({"mapping", "strict", "receipt"})
"""The targets whose inputs are also changed by their tree."""


def run(target: str, data: bytes) -> GatewayError | None:
    """Give bytes to a target and return the error that it refused them with, if it did.

    Any other error comes through, and so does a broken invariant: the program would be wrong.
    """
    try:
        TARGETS[target](data)
    except InvariantBroken:
        raise
    except GatewayError as refused:
        return refused
    return None
