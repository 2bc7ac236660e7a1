"""What requests carry: each form is one schema, which the contract shows and which the server reads by.

So the contract cannot promise what the server refuses. Documents that others sign are read by the strict
reader alone; the members of a request are no signed document, so a whole number counts by its value.
"""

from collections.abc import Mapping
from typing import Any, Final

from gateway.errors import MalformedDocument
from gateway.model.canonical import Json
from gateway.model.shape import Shape
from gateway.model.strict import DOCUMENT_BYTES_MAX, read_strict_object

__all__ = [
    "ACCOUNT",
    "BLANK",
    "MAPPING",
    "PLATFORM",
    "PUBLIC_KEY",
    "SIGNATURE",
    "Form",
    "json_body",
    "signatures",
    "text",
]

Schema = dict[str, Any]
BLANK: Final = r"\s"
"""What a text that must say something does not begin with."""

ACCOUNT: Final[Schema] = {"type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[!-~]{1,128}$"}
PLATFORM: Final[Schema] = {"type": "string", "pattern": "^[a-z]{2}-[0-9]{6}/[a-z0-9-]{1,40}$"}
MAPPING: Final[Schema] = {
    "type": "string",
    "pattern": "^[a-z]{2}-[0-9]{6}/[a-z0-9][a-z0-9-]{0,39}/[a-z0-9][a-z0-9-]{0,39}$",
    "examples": ["cn-420100/wuhan/travel"],
}
PUBLIC_KEY: Final[Schema] = {
    "type": "string",
    "pattern": "^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$",
    "description": "32 bytes of an Ed25519 key in base64.",
}
SIGNATURE: Final[Schema] = {"type": "string", "pattern": "^[A-Za-z0-9+/]{85}[AQgw]==$"}
# Controls; bidirectional marks, embeddings, overrides and isolates; line separators: what `require_text` of
# gateway.model.canonical refuses. A test holds the two equal.
_REFUSED: Final = r"\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"
_REMEDY: Final = "see openapi/gateway.yaml"


def text(description: str, *, least: int = 0, most: int = 0, opening: str = "") -> Schema:
    """Describe a free text: what the profile of our documents lets stand in one.

    ``opening`` are more characters, as in a class of a pattern, with which it may not begin; with ``most`` of
    0 only the content's own limit counts.
    """
    first = f"[^{opening}{_REFUSED}]" if opening else ""
    return {
        "type": "string",
        "format": "nfc",
        "minLength": least,
        **({"maxLength": most} if most else {}),
        "pattern": f"^{first}[^{_REFUSED}]*$",
        "description": f"{description} In Unicode form NFC, without control or bidirectional characters.",
    }


def signatures(most: int) -> Schema:
    """Describe the signatures of an envelope, at most so many; whether they hold is told by their reader."""
    key = {"type": "string", "pattern": "^[a-z]+-[0-9a-f]{32}$"}
    value = {"type": "string", "pattern": "^[A-Za-z0-9+/]{86}==$"}
    return {
        "type": "array",
        "minItems": 1,
        "maxItems": most,
        "items": {
            "type": "object",
            "required": ["key", "value"],
            "additionalProperties": False,
            "properties": {"key": key, "value": value},
        },
    }


def json_body(schema: Mapping[str, object]) -> dict[str, Any]:
    """Return what FastAPI cannot see of an operation whose content is read by us."""
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


class Form:
    """An object whose members are all known: required, save those named ``optional``."""

    def __init__(
        self,
        *,
        optional: tuple[str, ...] = (),
        least: int = 0,
        bytes_max: int = DOCUMENT_BYTES_MAX,
        **members: Schema,
    ) -> None:
        self.schema: Schema = {
            "type": "object",
            "required": [name for name in members if name not in optional],
            "additionalProperties": False,
            "properties": members,
        }
        if least:
            self.schema["minProperties"] = least
        self._bytes_max = bytes_max
        self._shape = Shape(self.schema)

    @property
    def body(self) -> dict[str, Any]:
        """Return it as the contract has it."""
        return json_body(self.schema)

    def read(self, content: bytes) -> dict[str, Json]:
        """Read the content of a request.

        Raises:
            MalformedDocument: says what was expected and where, and quotes nothing.
        """
        document = read_strict_object(content, self._bytes_max, by_value=True)
        self.require(document)
        return document

    def require(self, document: Json) -> None:
        """Check what was read already.

        Raises:
            MalformedDocument: says what was expected and where, and quotes nothing.
        """
        unmet = self._shape.unmet(document)
        if unmet is not None:
            raise MalformedDocument(f"expected {unmet.expected}", field=unmet.pointer, remedy=_REMEDY)
