"""The platform API's contract: openapi/platform.yaml, made from the documents' forms."""

from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from gateway.sandbox.city.desk import BATCH_MAX, KINDS, Kind
from gateway.sandbox.city.documents import StatementWanted
from gateway.sandbox.city.refusals import RefusalCode

__all__ = ["batch_answer", "batch_body", "describe", "message_body"]

_REFERENCE: Final = "#/components/schemas/{model}"
_PROBLEM: Final[dict[str, Any]] = {
    "type": "object",
    "description": "Why it was refused (RFC 9457). A 422 is the answer to this id for ever.",
    "required": ["type", "title", "status", "code", "detail", "retryable"],
    "properties": {
        "type": {"type": "string", "examples": ["urn:tanqiao:problem:lot-spent"]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "enum": [code.value for code in RefusalCode]},
        "detail": {"type": "string"},
        "retryable": {"type": "boolean", "description": "Whether sending the same again may succeed."},
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
        "The gateway's RFC 9421 signature with the tag `tanqiao`, Ed25519, over `@method`, `@authority`,"
        " `@path` and `@query`, where there is content `content-digest` and `content-type`, and where it is"
        " sent `idempotency-key`; with `created`, `expires`, `nonce` and `keyid`."
    ),
}
_SIGNATURE_OF_ANSWER: Final = {
    "Signature": {
        "description": (
            "The platform's RFC 9421 signature, labelled `tanqiao` with the tag `tanqiao-answer`, Ed25519,"
            " over `@status`, `content-digest`, `content-type` and of the request (`;req`) `@method`,"
            " `@authority`, `@path`, `@query`, where it had content `content-digest`, and `signature` by its"
            " key `tanqiao`."
        ),
        "schema": {"type": "string"},
    },
    "Signature-Input": {
        "description": "With `created`, `expires` at most 300 seconds later, and `keyid`.",
        "schema": {"type": "string"},
    },
    "Content-Digest": {
        "description": "`sha-256` of the content (RFC 9530).",
        "schema": {"type": "string", "pattern": "^sha-256=:[A-Za-z0-9+/]{43}=:$"},
    },
}
_IDEMPOTENCY: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": "The message's id; of a batch, that of its first item. The ids within are what counts.",
    "schema": {"type": "string", "pattern": "^[!-~]{1,128}$"},
}


def message_body(form: type[BaseModel]) -> dict[str, Any]:
    """Return what FastAPI cannot see of an operation that takes one message."""
    return _body({"$ref": _REFERENCE.format(model=form.__name__)})


def batch_body(form: type[BaseModel]) -> dict[str, Any]:
    """Return what FastAPI cannot see of an operation that takes several messages."""
    items = {
        "type": "array",
        "minItems": 1,
        "maxItems": BATCH_MAX,
        "items": {"$ref": _REFERENCE.format(model=form.__name__)},
    }
    return _body(
        {
            "type": "object",
            "required": ["items"],
            "additionalProperties": False,
            "properties": {"items": items},
        }
    )


def batch_answer(answer: type[BaseModel]) -> dict[str, Any]:
    """Return the answer to several messages, as FastAPI takes it."""
    document = {"anyOf": [{"$ref": _REFERENCE.format(model=name)} for name in (answer.__name__, "Problem")]}
    line = {
        "type": "object",
        "required": ["id", "status", "document"],
        "additionalProperties": False,
        "properties": {
            "id": {"type": "string"},
            "status": {"type": "integer", "description": "What the line would have got by itself."},
            "document": document,
        },
    }
    schema = {
        "type": "object",
        "required": ["outcomes"],
        "additionalProperties": False,
        "properties": {"outcomes": {"type": "array", "items": line}},
    }
    return {"description": "What became of each.", "content": {"application/json": {"schema": schema}}}


def _body(schema: dict[str, Any]) -> dict[str, Any]:
    return {
        "parameters": [{"$ref": "#/components/parameters/IdempotencyKey"}],
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
    }


def describe(api: FastAPI) -> dict[str, Any]:
    """Return the contract of a city's interface."""
    made = get_openapi(
        title=api.title,
        version=api.version,
        summary=api.summary,
        description=api.description,
        routes=api.routes,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        servers=[{"url": "http://127.0.0.1:9001", "description": "tanqiao sandbox serve"}],
    )
    schemas = made["components"]["schemas"]
    forms: list[tuple[type[BaseModel], str]] = [(kind.form, "validation") for kind in KINDS.values()]
    forms.append((StatementWanted, "validation"))
    schemas |= models_json_schema(forms, ref_template=_REFERENCE)[1]["$defs"]  # type: ignore[arg-type]  # a literal
    schemas["Problem"] = _PROBLEM
    made["components"]["securitySchemes"] = {"signature": _SIGNED}
    made["components"]["headers"] = _SIGNATURE_OF_ANSWER
    made["components"]["parameters"] = {"IdempotencyKey": _IDEMPOTENCY}
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    for path in made["paths"].values():
        for operation in path.values():
            _complete(operation)
    for resource, kind in KINDS.items():
        _link(made["paths"][f"/v1/{resource}"]["post"], kind)
    return made


def _link(operation: dict[str, Any], kind: Kind) -> None:
    """Say where a good answer leads on: to how it stands."""
    given = {kind.key: f"$response.body#/{kind.key}"}
    operation["responses"]["201"]["links"] = {
        "standing": {"operationId": f"show_{kind.one}", "parameters": given}
    }


def _complete(operation: dict[str, Any]) -> None:
    """Add what every operation has: refusals as problem documents, signatures both ways."""
    answers = operation["responses"]
    answers.pop("422", None)
    answers["default"] = {
        "description": "Refused: a problem document.",
        "content": {"application/problem+json": {"schema": {"$ref": _REFERENCE.format(model="Problem")}}},
    }
    if "public" in operation["tags"]:
        operation["security"] = []
        return
    operation["security"] = [{"signature": []}]
    for answer in answers.values():
        answer["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in _SIGNATURE_OF_ANSWER}
