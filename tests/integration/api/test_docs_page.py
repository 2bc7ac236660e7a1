"""The contract as a page: Redoc from this origin alone, under a policy that lets nothing else in."""

import hashlib
import re

import httpx
import pytest

from gateway.resources import web_folder
from tests.browser.opener import missing_for_browser, open_address
from tests.fakes.serving import Served

pytestmark = pytest.mark.xdist_group("served")
REDOC = "dcaf76612bc4a3fbcc923a8966dee2f6146a5f32e5ce1b6f02dd60cbbf89500b"
"""SHA-256 of bundles/redoc.standalone.js in the package redoc 2.5.4 of npm."""


def test_the_bundle_is_that_of_the_package_with_its_licence() -> None:
    folder = web_folder() / "docs"

    assert hashlib.sha256((folder / "redoc.standalone.js").read_bytes()).hexdigest() == REDOC
    assert "The MIT License" in (folder / "redoc.LICENSE.txt").read_text("utf-8")


def test_the_page_names_no_other_origin_and_runs_no_script_of_its_own() -> None:
    page = (web_folder() / "docs" / "index.html").read_text("utf-8")

    named = re.findall(r'(?:src|href|spec-url)="([^"]*)"', page)
    assert len(named) == 5
    assert all(re.fullmatch(r"data:,|/v1/[a-z./]+", address) for address in named)
    assert re.findall(r"<script[^>]*>([^<]*)", page) == [""]


def test_the_page_and_what_it_loads_are_served_under_a_strict_policy(running: Served) -> None:
    page = httpx.get(running.url + "/v1/docs")
    loaded = re.findall(r'(?:src|href|spec-url)="(/[^"]*)"', page.text)

    policy = page.headers["content-security-policy"].split("; ")
    assert {"default-src 'none'", "script-src 'self'", "connect-src 'self'", "base-uri 'none'"} <= set(policy)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    for address in loaded:
        assert httpx.get(running.url + address).status_code == 200, address
    for other in ("/v1/docs/..%2findex.html", "/v1/docs/%2e%2e/review/page.html", "/v1/docs/none"):
        assert httpx.get(running.url + other).status_code == 404


@pytest.mark.browser
@pytest.mark.skipif(bool(missing_for_browser()), reason=missing_for_browser() or "all is here")
def test_a_browser_shows_the_contract_and_asks_no_other_origin(running: Served) -> None:
    said = open_address(running.url + "/v1/docs", "Submit one act or many")

    asked = {one for one in said["requests"] if not one.startswith(("data:", "blob:"))}
    sent = asked - set(said["blocked"])
    assert "Idempotency-Key" in said["text"]
    assert {running.url + "/v1/docs/redoc.standalone.js", running.url + "/v1/openapi.json"} <= sent
    assert {one for one in sent if not one.startswith(running.url + "/")} == set()
    assert said["blocked"] == ["https://cdn.redoc.ly/redoc/logo-mini.svg"]
    assert [one for one in said["console"] if "Content Security Policy" not in one] == []
