"""Requests to endpoints, over real sockets: to the address that was checked, within bounds."""

import asyncio
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from gateway.peers import Poster
from gateway.ports import Posted
from tests.fakes.receiving import receiving


def posted(url: str, *, private: bool = True, seconds: float = 10) -> Posted:
    async def post() -> Posted:
        async with Poster(private=private, seconds=seconds) as poster:
            return await poster(url, content=b"{}", headers={"content-type": "application/json"})

    return asyncio.run(post())


def certified(folder: Path, name: str) -> tuple[ssl.SSLContext, Path]:
    """Return a server's context with a certificate for a name, and the file that trusts it."""
    key, subject = (
        generate_private_key(SECP256R1()),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]),
    )
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    trusted, private = folder / "trusted.pem", folder / "private.pem"
    trusted.write_bytes(certificate.public_bytes(Encoding.PEM))
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(trusted, private)
    return context, trusted


@contextmanager
def answering(*pieces: bytes, pause: float) -> Iterator[str]:
    """Serve one connection with pieces of an answer, over and over, a pause before each."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        ended = threading.Event()

        def answer() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(65536)
                try:
                    connection.sendall(pieces[0])
                    while not ended.wait(pause):
                        connection.sendall(pieces[-1])
                except OSError:
                    return

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
        ended.set()
        thread.join(10)


@pytest.mark.parametrize("private", [False, True])
def test_an_endpoint_in_a_private_network_is_called_only_if_a_setting_allows_it(private: bool) -> None:
    with receiving() as receiver:
        answer = posted(receiver.url.replace("http:", "https:"), private=private)

    assert answer.status == 0
    assert ("not public" in answer.detail) == (not private)
    assert not receiver.arrived


def test_the_certificate_must_be_that_of_the_name_though_the_address_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, status in (("localhost", 204), ("other.example", 0)):
        context, trusted = certified(tmp_path, name)
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        with receiving(tls=context) as receiver:
            answer = posted(receiver.url.replace("127.0.0.1", "localhost"))

        assert answer.status == status, answer
        assert [one.headers["host"].partition(":")[0] for one in receiver.arrived] == ["localhost"] * bool(
            status
        )


def test_a_certificate_that_nobody_trusts_is_refused(tmp_path: Path) -> None:
    context, _ = certified(tmp_path, "localhost")
    with receiving(tls=context) as receiver:
        answer = posted(receiver.url.replace("127.0.0.1", "localhost"))

    assert "CERTIFICATE_VERIFY_FAILED" in answer.detail
    assert not receiver.arrived


def test_a_name_is_resolved_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """No name server here changes its answers, so the resolver is replaced."""
    asked: list[str] = []

    def resolve(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        address = "127.0.0.1" if len(asked) == 1 else "127.0.0.2"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    with receiving() as receiver:
        monkeypatch.setattr(socket, "getaddrinfo", _only_for("rebinding.example", resolve))
        answer = posted(receiver.url.replace("127.0.0.1", "rebinding.example"))

    assert answer.status == 204
    assert asked == ["rebinding.example"]
    assert receiver.arrived[0].headers["host"].startswith("rebinding.example:")


def _only_for(name: str, resolve: Any) -> Any:
    usual = socket.getaddrinfo

    def chosen(host: Any, *rest: Any, **named: Any) -> Any:
        return resolve(host, *rest, **named) if host == name else usual(host, *rest, **named)

    return chosen


def test_the_second_address_is_called_where_the_first_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(_: str, port: int, **__: Any) -> list[Any]:
        found = ("127.0.0.3", "127.0.0.1")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    with receiving() as receiver:
        monkeypatch.setattr(socket, "getaddrinfo", _only_for("two.example", resolve))
        assert posted(receiver.url.replace("127.0.0.1", "two.example")).status == 204


def test_an_answer_that_trickles_is_given_up() -> None:
    with answering(b"HTTP/1.1 204 ok\r\nx: ", b"y", pause=0.05) as url:
        began = time.monotonic()
        answer = posted(url, seconds=1)

    assert (answer.status, answer.detail) == (0, "no answer within 1 seconds")
    assert time.monotonic() - began < 10


def test_an_answer_without_end_is_not_read() -> None:
    with answering(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65536, pause=0.001) as url:
        assert posted(url) == Posted(200, "")


@pytest.mark.parametrize("piece", [b"not http at all\r\n\r\n", b"HTTP/1.1 200 OK\r\nx: " + b"y" * 200_000])
def test_what_is_no_answer_fails_with_words(piece: bytes) -> None:
    with answering(piece, b"", pause=0.05) as url:
        answer = posted(url, seconds=3)

    assert answer.status == 0
    assert answer.detail.startswith("no answer: ")


def test_no_proxy_of_the_environment_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with receiving() as receiver:
        assert posted(receiver.url).status == 204
