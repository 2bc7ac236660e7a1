"""The interface's contract: the OpenAPI 3.1 document, with what FastAPI cannot see by itself."""

from functools import lru_cache
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

__all__ = ["describe"]

_PROBLEM: Final[dict[str, Any]] = {
    "type": "object",
    "description": "What went wrong (RFC 9457). `code` never changes its meaning: docs/reference/errors.md.",
    "required": ["type", "title", "status", "code", "detail", "request_id", "retryable"],
    "properties": {
        "type": {"type": "string", "examples": ["urn:tanqiao:problem:idempotency-conflict"]},
        "title": {"type": "string", "description": "In Chinese, or in English by Accept-Language."},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "remedy": {"type": "string"},
        "request_id": {"type": "string"},
        "retryable": {"type": "boolean", "description": "Whether sending the same again may succeed."},
        "doc": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "code", "detail"],
                "properties": {name: {"type": "string"} for name in ("pointer", "code", "detail")},
            },
        },
    },
}
_SIGNED: Final = {
    "type": "http",
    "scheme": "signature",
    "description": (
        "An RFC 9421 signature with the tag `tanqiao`, Ed25519, over `@method`, `@authority`, `@path` and"
        " `@query`, where there is content `content-digest` and `content-type`, and where it is sent"
        " `idempotency-key`; with `created`, `expires`, `nonce` and `keyid`. See docs/howto/federate.md."
    ),
}
_PUBLIC: Final = "public"


def describe(api: FastAPI) -> None:
    """Have the interface give its contract under ``/v1/openapi.json``."""

    @lru_cache(maxsize=1)
    def document() -> dict[str, Any]:
        made = get_openapi(
            title=api.title,
            version=api.version,
            summary=api.summary,
            description=api.description,
            routes=api.routes,
            license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
            servers=[{"url": "http://127.0.0.1:8420", "description": "tanqiao serve"}],
        )
        made["components"]["schemas"]["Problem"] = _PROBLEM
        made["components"]["securitySchemes"] = {"signature": _SIGNED}
        for name in ("HTTPValidationError", "ValidationError"):
            made["components"]["schemas"].pop(name, None)
        for path in made["paths"].values():
            for operation in path.values():
                _complete(operation)
        return made

    api.openapi = document  # type: ignore[method-assign]  # FastAPI's own way to give another document


def _complete(operation: dict[str, Any]) -> None:
    """Add what every operation has: its refusals as problem documents, and who may call it."""
    answers = operation["responses"]
    answers.pop("422", None)
    answers["default"] = {
        "description": "Refused or failed: a problem document.",
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    operation["security"] = [] if _PUBLIC in operation["tags"] else [{"signature": []}]
