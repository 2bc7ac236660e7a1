"""Check a document against the JSON Schema of the format, in words a platform engineer can use."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from gateway.convert.document import Document, Finding, child

__all__ = ["schema_findings"]

_SHOWN_MAX = 60  # characters of a value in a message


def schema_findings(document: Document, schema: Mapping[str, Any]) -> list[Finding]:
    """Return every breach of the schema, each at the line and column of the value."""
    errors = Draft202012Validator(schema).iter_errors(document.value)
    return [finding for error in errors for finding in _findings(document, error)]


def _findings(document: Document, error: ValidationError) -> Iterator[Finding]:
    rule: Any = error.validator_value
    around: Any = error.schema
    pointer = ""
    for part in error.absolute_path:
        pointer = child(pointer, part)
    if error.validator == "additionalProperties":
        known = around.get("properties", {})
        extra: Any = error.instance
        for key in sorted(key for key in extra if key not in known):
            message = f"expected one of {', '.join(known)}, got {_short(key)}"
            yield document.finding(child(pointer, key), "schema", message=message)
    elif error.validator == "required":
        missing = next(key for key in rule if f"{key!r}" in error.message)
        yield document.finding(pointer, "schema", message=f"expected the member {missing}, got none")
    else:
        expected = _expectation(str(error.validator), rule, name=around.get("title", ""))
        yield document.finding(pointer, "schema", message=f"{expected}, got {_short(error.instance)}")


def _expectation(keyword: str, rule: object, *, name: str) -> str:
    form = f"{name.lower()} of the form" if name else "the form"
    wording = {
        "const": f"expected {rule}",
        "pattern": f"expected {form} {rule}",
        "minItems": f"expected at least {rule} elements",
        "maxItems": f"expected at most {rule} elements",
        "minLength": f"expected at least {rule} characters",
        "maxLength": f"expected at most {rule} characters",
        "minProperties": f"expected at least {rule} members",
        "uniqueItems": "expected each element once",
    }
    if keyword == "type":
        return f"expected {_type_words(rule)}"
    if keyword == "enum":
        words = map(_short, cast("list[object]", rule))
        return f"expected one of {', '.join(words)}"
    return wording.get(keyword, f"expected what {keyword} allows")


def _type_words(types: object) -> str:
    words = {"object": "a mapping", "array": "a list", "string": "a text"}
    return " or ".join(
        words.get(str(one), str(one)) for one in (types if isinstance(types, list) else [types])
    )


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN_MAX else f"{text[:_SHOWN_MAX]}…"
