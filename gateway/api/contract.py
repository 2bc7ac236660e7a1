"""The interface's contract: the OpenAPI 3.1 document, with what FastAPI cannot see by itself."""

from copy import deepcopy
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
    "type": "apiKey",  # the nearest that OpenAPI has: `http` with `signature` would mean a withdrawn draft
    "in": "header",
    "name": "Signature",
    "description": (
        "An RFC 9421 signature with the tag `tanqiao`, Ed25519, over `@method`, `@authority`, `@path` and"
        " `@query`, where there is content `content-digest` and `content-type`, and where it is sent"
        " `idempotency-key`; with `created`, `expires`, `nonce` and `keyid`. See docs/howto/federate.md."
    ),
}
_TOKEN: Final = {
    "type": "http",
    "scheme": "bearer",
    "description": (
        "A token of an operator, a coordinator or an auditor: `tanqiao operator token`, or an access token"
        " of the gateway's identity provider."
    ),
}
_PUBLIC: Final = "public"
_ADMIN: Final = "admin"
_EITHER: Final = "maintaining"  # by a platform's signature or by a coordinator's token
_LOCATION: Final = {
    "Location": {"description": "The operation.", "schema": {"type": "string", "format": "uri-reference"}}
}
_FIRST_OUTCOME: Final = {
    "record_id": "$response.body#/outcomes/0/record",
    "batch": "$response.body#/outcomes/0/batch",
}
_FIRST_PLACE: Final = {
    "record_id": "$response.body#/records/0/id",
    "batch": "$response.body#/records/0/batch",
}
_FIRST_DIGEST: Final = {"digest": "$response.body#/mappings/0/digest"}
_FIRST_WAITING: Final = {"digest": "$response.body#/publications/0/digest"}
_DIGEST: Final = {"digest": "$response.body#/digest"}
_LINK: Final = {"link_id": "$response.body#/result/link"}
_SUBMITTING: Final = ("submit_acts", "upload_file", "link", "unlink", "withdraw")
_LINKS: Final[dict[str, dict[str, dict[str, str]]]] = {
    "mappings": dict.fromkeys(("mapping", "explain_row", "dry_run"), _FIRST_DIGEST),
    "submit_acts": {
        "operation": {"operation_id": "$response.body#/id"},
        "record": _FIRST_OUTCOME,
        "receipt": _FIRST_OUTCOME,
    },
    "upload_file": {"operation": {"operation_id": "$response.body#/id"}},
    "link": {"operation": {"operation_id": "$response.body#/id"}, "unlink": _LINK},
    "unlink": {"operation": {"operation_id": "$response.body#/id"}},
    "withdraw": {"operation": {"operation_id": "$response.body#/id"}},
    "records": {"record": _FIRST_PLACE, "receipt": _FIRST_PLACE},
    "operation": {"record": _FIRST_OUTCOME, "receipt": _FIRST_OUTCOME},
    "publish_mapping": dict.fromkeys(("publication", "mapping"), _DIGEST),
    "waiting_mappings": dict.fromkeys(("publication", "mapping"), _FIRST_WAITING),
    "operations": {"operation": {"operation_id": "$response.body#/operations/0/id"}},
}
"""From where an operation's answer leads on: to which operations, with which parameters."""

_TAGS: Final = {
    "public": "Unsigned, for everybody: state of the service, statements, mappings, agreements, the log.",
    "mappings": "Cities' rules as data: read a version, explain a row, try it on a sample, compare two.",
    "maintaining": "Publish a version of a mapping once enough of its maintainers have signed it.",
    "agreements": "What two platforms have agreed on, signed by both, and pauses of their corridor.",
    "platforms": "Enrol a key with an invitation, rotate and revoke keys.",
    "acts": "Submit what residents did: one act, many, a stream or a file. The same again changes nothing.",
    "operations": "What became of what was submitted.",
    "records": "A platform's own records, their receipts and their withdrawal.",
    "links": "Holders who are known at several platforms: one act counts once.",
    "transfers": "Quote, start and follow points that move between platforms.",
    "webhooks": "Be told rather than ask.",
    "admin": "For operators, coordinators and auditors, with a token.",
}


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
            tags=[{"name": name, "description": text} for name, text in _TAGS.items()],
            license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
            servers=[{"url": "http://127.0.0.1:8420", "description": "tanqiao serve"}],
        )
        made["components"]["schemas"]["Problem"] = _PROBLEM
        made["components"]["securitySchemes"] = {"signature": _SIGNED, "token": _TOKEN}
        for name in ("HTTPValidationError", "ValidationError"):
            made["components"]["schemas"].pop(name, None)
        for path in made["paths"].values():
            for operation in path.values():
                _complete(operation)
                _link(operation)
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
    operation["security"] = [{scheme: []} for scheme in _schemes(operation["tags"])]


def _schemes(tags: list[str]) -> tuple[str, ...]:
    if _PUBLIC in tags:
        return ()
    if _EITHER in tags:
        return ("signature", "token")
    return ("token",) if _ADMIN in tags else ("signature",)


def _link(operation: dict[str, Any]) -> None:
    """Say where the good answers lead on, and that a submission's stands in ``Location`` too."""
    links = _LINKS.get(operation["operationId"], {})
    for status in ("200", "202"):
        answer = operation["responses"].get(status)
        if answer is None:
            continue
        if links:
            answer["links"] = {
                f"{name}_of": {"operationId": name, "parameters": dict(given)}
                for name, given in links.items()
            }
        if operation["operationId"] in _SUBMITTING:
            answer["headers"] = deepcopy(_LOCATION)
