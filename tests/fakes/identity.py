"""A small OpenID Connect provider: discovery document, key set and tokens, over real HTTP.

``python -m tests.fakes.identity PORT`` serves it in a process of its own. Its keys are made from a seed
by :class:`Keys`, so that a test can also make the tokens that no provider would give out.
"""

import http.client
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import JWSRegistry

from tests.fakes.servers import free_port

AUDIENCE = "https://gateway.example"
CLIENT = "console"
STARTED_SECONDS = 30


@cache
def rsa_key(name: str) -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": name, "use": "sig"})


@cache
def ec_key(name: str) -> ECKey:
    return ECKey.generate_key("P-256", {"kid": name, "use": "sig"})


def claims(issuer: str, **changes: Any) -> dict[str, Any]:
    """Return what a good token says, with what differs; None leaves a claim out."""
    now = int(time.time())
    made = {
        "iss": issuer,
        "aud": AUDIENCE,
        "sub": "zhang.san@example.cn",
        "azp": CLIENT,
        "iat": now,
        "exp": now + 300,
        "roles": ["carbon-desk", "offline_access"],
        "name": "张三",
    }
    return {name: value for name, value in (made | changes).items() if value is not None}


def token(said: dict[str, Any], key: RSAKey | ECKey, *, alg: str = "", **header: Any) -> str:
    usual = {"RSA": "RS256", "EC": "ES256"}[key.key_type]
    head = {"typ": "JWT", "alg": alg or usual, "kid": key.kid} | header
    registry = JWSRegistry(algorithms=[head["alg"]], strict_check_header=False)
    return jwt.encode(head, said, key, algorithms=[head["alg"]], registry=registry)


class _Provider(ThreadingHTTPServer):
    """Gives tokens at ``/token``, new keys at ``/rotate``; counts who asks for its key set."""

    daemon_threads = True

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.issuer = f"http://127.0.0.1:{port}/realms/carbon"
        self.turn = 0
        self.asked = 0
        self.key_set: bytes | None = None

    @property
    def keys(self) -> tuple[RSAKey, ECKey]:
        return rsa_key(f"rsa-{self.turn}"), ec_key(f"ec-{self.turn}")


class _Handler(BaseHTTPRequestHandler):
    server: _Provider

    def do_GET(self) -> None:
        provider = self.server
        if self.path == "/realms/carbon/.well-known/openid-configuration":
            self._answer({"issuer": provider.issuer, "jwks_uri": provider.issuer + "/keys"})
        elif self.path == "/realms/carbon/keys":
            provider.asked += 1
            usual = {"keys": [key.as_dict(private=False) for key in provider.keys]}
            self._answer(provider.key_set or usual)
        elif self.path == "/asked":
            self._answer(provider.asked)
        elif self.path == "/public":
            self._answer(provider.keys[0].as_pem(private=False).decode())
        else:
            self._answer({"error": "not found"}, status=404)

    def do_POST(self) -> None:
        provider = self.server
        content = self.rfile.read(int(self.headers.get("content-length", "0")))
        if self.path == "/rotate":
            provider.turn += 1
            self._answer(provider.turn)
        elif self.path == "/key-set":  # what is given out from now on instead
            provider.key_set = content or None
            self._answer(None)
        else:
            wanted = json.loads(content)
            key = provider.keys[wanted.pop("key", "rsa") == "ec"]
            alg = wanted.pop("alg", "")
            said = claims(provider.issuer) | wanted.pop("claims", {})
            kept = {name: value for name, value in said.items() if value is not None}
            self._answer(token(kept, key, alg=alg, **wanted))

    def _answer(self, document: Any, *, status: int = 200) -> None:
        content = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        pass


class Provider:
    """A running provider, as a test sees it."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.usual: dict[str, Any] = {}  # what tokens say unless told otherwise
        self.issuer = f"http://127.0.0.1:{port}/realms/carbon"
        self.process = self._start()

    def _start(self) -> "subprocess.Popen[bytes]":
        process = subprocess.Popen([sys.executable, "-m", "tests.fakes.identity", str(self.port)])
        for _ in range(STARTED_SECONDS * 20):
            try:
                self._ask("GET", "/asked")
                return process
            except OSError:
                time.sleep(0.05)
        raise AssertionError("the provider does not start")

    def token(self, *, key: str = "rsa", alg: str = "", **changes: Any) -> str:
        """Have a token made that says what differs from a good one."""
        return str(self._ask("POST", "/token", {"key": key, "alg": alg, "claims": self.usual | changes}))

    def headed(self, **header: Any) -> str:
        """Have a token made whose header has something more."""
        return str(self._ask("POST", "/token", {"claims": self.usual, **header}))

    def rotate(self) -> None:
        """Have new keys in place of the old ones."""
        self._ask("POST", "/rotate")

    def give_out(self, key_set: object) -> None:
        """Give out another key set; None ends it."""
        self._ask("POST", "/key-set", key_set)

    def asked(self) -> int:
        """Return how often the key set was asked for."""
        return int(self._ask("GET", "/asked"))

    def public_pem(self) -> bytes:
        return str(self._ask("GET", "/public")).encode()

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()

    def restart(self) -> None:
        self.process = self._start()

    def _ask(self, method: str, path: str, document: object = None) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            content = b"" if document is None else json.dumps(document).encode()
            connection.request(method, path, content)
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()


@contextmanager
def providing() -> Iterator[Provider]:
    provider = Provider(free_port())
    try:
        yield provider
    finally:
        provider.stop()


if __name__ == "__main__":
    _Provider(int(sys.argv[1])).serve_forever()
