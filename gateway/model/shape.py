"""The shape of signed documents: closed JSON Schemas, checked before anything is believed."""

from collections.abc import Mapping
from typing import Any

import jsonschema_rs
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from gateway.errors import MalformedDocument
from gateway.model.canonical import Json

__all__ = ["Shape"]


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
        if self._is_plainly_good(document):
            return
        error = best_match(self._validator.iter_errors(document))
        if error is not None:
            pointer = "/" + "/".join(map(str, error.absolute_path)) if error.absolute_path else "/"
            raise MalformedDocument(f"{what}: {pointer}: {error.message[:200]}", field=pointer)

    def _is_plainly_good(self, document: Json) -> bool:
        try:
            return self._quick.is_valid(document)
        except ValueError:  # a value that it cannot take over, such as a lone surrogate
            return False
