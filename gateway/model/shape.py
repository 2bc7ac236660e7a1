"""The shape of signed documents: closed JSON Schemas, checked before anything is believed."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple, cast

import jsonschema_rs
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match

from gateway.errors import MalformedDocument
from gateway.model.canonical import Json

__all__ = ["Shape", "Unmet"]


class Unmet(NamedTuple):
    """What a schema expects that a document does not have, and where; nothing of the document is in it."""

    pointer: str
    expected: str


class Shape:
    """One JSON Schema (2020-12), ready to check documents.

    ``jsonschema_rs`` looks first and only ever says that all is well; whatever it does not accept is judged,
    and named, by ``jsonschema``. A test holds the two equal on generated documents.
    """

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._validator = Draft202012Validator(schema)
        self._quick = jsonschema_rs.Draft202012Validator(dict(schema))

    def require(self, document: Json, what: str) -> None:
        """Check a document.

        Raises:
            MalformedDocument: names the place by JSON Pointer and what was expected there.
        """
        error = self._fault(document)
        if error is not None:
            pointer = _pointer(error) or "/"
            raise MalformedDocument(f"{what}: {pointer}: {error.message[:200]}", field=pointer)

    def unmet(self, document: Json) -> Unmet | None:
        """Return what a document lacks, in words that quote nothing of it; None: it is good."""
        error = self._fault(document)
        if error is None:
            return None
        pointer, wanted = _pointer(error), error.validator_value
        if error.validator == "required":  # where a member is missing says more than where its object is
            missing = next(name for name in cast(list[str], wanted) if name not in cast(Any, error.instance))
            return Unmet(f"{pointer}/{missing}", f"a member `{missing}`")
        if error.validator == "additionalProperties":
            members = cast(Mapping[str, Any], error.schema)["properties"]
            return Unmet(pointer, "no members but " + ", ".join(f"`{name}`" for name in members))
        told = json.dumps(wanted, ensure_ascii=False)[:200]
        return Unmet(pointer, f"{pointer or 'a document'} with {error.validator}: {told}")

    def _fault(self, document: Json) -> ValidationError | None:
        if self._is_plainly_good(document):
            return None
        error: ValidationError | None = best_match(self._validator.iter_errors(document))
        return error

    def _is_plainly_good(self, document: Json) -> bool:
        try:
            return self._quick.is_valid(document)
        except ValueError:  # a value that it cannot take over, such as a lone surrogate
            return False


def _pointer(error: ValidationError) -> str:
    return "".join(f"/{part}" for part in error.absolute_path)
