"""What there is at the interface: every route is in the contract, and guarded as the contract says."""

import importlib
import json
import pkgutil
from typing import Any

import httpx
import pytest
import yaml

import gateway.api
from tests.fakes.serving import Served
from tools.write_openapi import CONTRACT

pytestmark = pytest.mark.xdist_group("served")
PATHS = yaml.safe_load(CONTRACT.read_text("utf-8"))["paths"]
EVERY = [
    (method.upper(), path, operation)
    for path, methods in PATHS.items()
    for method, operation in methods.items()
]
NAMES = [operation["operationId"] for _, _, operation in EVERY]


def filled(path: str, operation: dict[str, Any]) -> str:
    """Return an address with something in each place."""
    needed = [one for one in operation.get("parameters", []) if one["in"] == "query" and one.get("required")]
    for one in operation.get("parameters", []):
        if one["in"] == "path":
            path = path.replace("{" + one["name"] + "}", "0" * 32)
    return path + "?" + "&".join(f"{one['name']}=2025-03-01" for one in needed)


def test_every_route_is_in_the_contract() -> None:
    modules = [
        importlib.import_module(f"gateway.api.{one.name}")
        for one in pkgutil.iter_modules(gateway.api.__path__)
        if one.name != "witness"  # another service, whose contract is C2SP tlog-witness
    ]
    routers = [module.router for module in modules if hasattr(module, "router")]
    routes = {route.path for router in routers for route in router.routes}
    described = set(PATHS) | {"/v1/openapi.json", "/v1/docs", "/v1/docs/{name}"}

    assert len(routes) > 20
    assert {route.replace(":path}", "}") for route in routes} <= described


@pytest.mark.parametrize(("method", "path", "operation"), EVERY, ids=NAMES)
def test_no_operation_answers_somebody_unknown(
    running: Served, method: str, path: str, operation: dict[str, Any]
) -> None:
    headers = {"idempotency-key": "k", "content-type": "application/json"}
    content = b"{}" if "requestBody" in operation else b""

    answer = httpx.request(method, running.url + filled(path, operation), headers=headers, content=content)

    assert answer.status_code < 500
    if operation["security"]:
        assert answer.status_code == 401 or path.endswith("/enrolment")
        assert answer.json()["code"] in ("request-not-signed", "token-refused", "malformed-document")


@pytest.mark.parametrize(("method", "path", "operation"), EVERY, ids=NAMES)
def test_no_address_redirects(running: Served, method: str, path: str, operation: dict[str, Any]) -> None:
    for address in (filled(path, operation).partition("?")[0] + "/", "/" + path):
        assert not 300 <= httpx.request(method, running.url + address).status_code < 400


def test_private_answers_are_not_stored(running: Served) -> None:
    assert httpx.get(running.url + "/v1/operations").headers["cache-control"] == "no-store"
    assert httpx.get(running.url + "/v1/admin/platforms").headers["cache-control"] == "no-store"


def test_methods_that_nothing_takes_are_refused(running: Served) -> None:
    for method in ("TRACE", "CONNECT", "PATCH", "OPTIONS", "PROPFIND"):
        answer = httpx.request(method, running.url + "/v1/acts")
        assert answer.status_code in (400, 405)
        assert "access-control-allow-origin" not in answer.headers
        assert json.loads(answer.content)["code"]
