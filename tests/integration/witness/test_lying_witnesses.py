"""What a witness may answer instead of a cosignature: nothing of it counts, and nothing stops."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from gateway.app.log.cosigning import collect
from gateway.app.log.policy import policy_status, set_quorum, trust_witness
from gateway.transparency import cosign_note, read_note, read_witness_request
from tests.fakes.homes import make_home
from tests.fakes.static import listening
from tests.fakes.witnesses import collect_until
from tests.unit.transparency.signers import witness_signer

Answer = tuple[int, str, bytes]
NAME = "w.example"
TEXT, SIZE = "text/plain", "text/x.tlog.size"


@contextmanager
def answering(answer: Callable[[bytes], Answer]) -> Iterator[str]:
    """Serve a witness that answers as it is told to; gives its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            status, kind, content = answer(body)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's
            pass

    with listening(Handler) as url:
        yield url


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        yield make_home(tmp_path_factory.mktemp("lied-to"), patch)


def cosigned(body: bytes, *, signer: str = NAME, named: str = "") -> bytes:
    made = witness_signer(signer)
    note = cosign_note(read_note(read_witness_request(body).note), key=made.key, sign=made.sign, timestamp=1)
    return str(note.signatures[-1]).replace(signer, named or signer).encode()


LIES: dict[str, tuple[Callable[[bytes], Answer], str]] = {
    "nothing": (lambda _: (200, TEXT, b""), "witness-refused"),
    "no-line": (lambda _: (200, TEXT, b"fine\n"), "malformed-log-text"),
    "another-key": (lambda body: (200, TEXT, cosigned(body, signer="x.example")), "witness-refused"),
    "another-key-under-its-name": (
        lambda body: (200, TEXT, cosigned(body, signer="x.example", named=NAME)),
        "witness-refused",
    ),
    "another-text": (
        lambda body: (200, TEXT, cosigned(body.replace(b"\n\n", b"\n\nx", 1))),
        "bad-signature",
    ),
    "a-size-that-is-none": (lambda _: (409, SIZE, b"many\n"), "malformed-log-text"),
    "a-size-without-its-type": (lambda _: (409, TEXT, b"1\n"), "witness-refused"),
    "a-size-over-and-over": (lambda _: (409, SIZE, b"1\n"), "witness-refused"),
    "a-size-beyond-the-log": (lambda _: (409, SIZE, b"999\n"), "witness-contradicts"),
    "another-log": (lambda _: (422, TEXT, b""), "witness-contradicts"),
    "out-of-order": (lambda _: (500, TEXT, b""), "witness-refused"),
    "too-much": (lambda _: (200, TEXT, b"x" * 1_000_000), "unreachable"),
}


@pytest.mark.parametrize("lie", LIES)
def test_lie_is_told_in_the_status_and_counts_for_nothing(home: Path, lie: str) -> None:
    answer, code = LIES[lie]
    with answering(answer) as url:
        trust_witness(home, "w", vkey=str(witness_signer(NAME).key), url=url)
        set_quorum(home, "all", names=[])
        collect_until(home, code)

    (told,) = policy_status(home)
    assert str(told["trouble"]).startswith(code), told
    assert int(str(told["failures"])) > 0
    assert told["cosigned"] == 0


def test_honest_answer_counts_with_lines_of_others_around_it(home: Path) -> None:
    def answer(body: bytes) -> Answer:
        return 200, TEXT, cosigned(body, signer="x.example") + cosigned(body)

    with answering(answer) as url:
        trust_witness(home, "w", vkey=str(witness_signer(NAME).key), url=url)
        set_quorum(home, "all", names=[])

        assert collect(home, seconds=30)["witnessed"] is True

    kept = read_note((home / "witnesses" / "checkpoint").read_bytes())
    assert [line.name for line in kept.signatures][1:] == [NAME]
