"""An answer is bound to the one request that it answers: nothing of either can be changed."""

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.signing import (
    AnswerMessage,
    AnswerNotSigned,
    Message,
    content_digest,
    sign_answer,
    verify_answer,
)
from gateway.signing.requests import LIFETIME, SKEW
from tests.fakes.serving import PlatformSigner
from tests.unit.signing.test_requests import KEY, NOW, find, signed, unsigned

CITY = PlatformSigner(7)
BODY = b'{"state":"held"}'


def answer(request: Message, *, status: int = 201, key: PlatformSigner = CITY) -> AnswerMessage:
    headers = {"content-type": "application/json", "content-digest": content_digest(BODY)}
    made = sign_answer(AnswerMessage(status, headers, request), key, created=NOW)
    return AnswerMessage(status, headers | {name.lower(): value for name, value in made.items()}, request)


def city(wanted: str) -> bytes | None:
    return CITY.public if wanted == CITY.key_id else None


REQUEST = signed(unsigned())
QUESTION = signed(Message("GET", "https://city.example/v1/holds/hd_1", {}))


@pytest.mark.parametrize("request_", [REQUEST, QUESTION], ids=["with content", "without"])
def test_an_answer_says_by_which_key(request_: Message) -> None:
    assert verify_answer(answer(request_), BODY, find_key=city, now=NOW) == CITY.key_id


def _changed() -> dict[str, tuple[AnswerMessage, bytes]]:
    good = answer(REQUEST)
    other = signed(unsigned(), nonce="B" * 22)
    digest = {"content-digest": content_digest(b"{}")}
    return {
        "status": (replace(good, status_code=200), BODY),
        "content": (good, b"{}"),
        "content and digest": (replace(good, headers={**good.headers, **digest}), b"{}"),
        "type": (replace(good, headers={**good.headers, "content-type": "text/plain"}), BODY),
        "method": (replace(good, request=replace(REQUEST, method="PUT")), BODY),
        "authority": (
            replace(good, request=replace(REQUEST, url="https://other.example/v1/acts?mapping=a%2Fb")),
            BODY,
        ),
        "path": (replace(good, request=replace(REQUEST, url="https://gw.example/v1/x?mapping=a%2Fb")), BODY),
        "query": (replace(good, request=replace(REQUEST, url="https://gw.example/v1/acts?mapping=b")), BODY),
        "content of the request": (
            replace(good, request=replace(REQUEST, headers={**REQUEST.headers, **digest})),
            BODY,
        ),
        "the same request, signed anew": (replace(good, request=other), BODY),
        "no signature": (
            replace(good, headers={n: v for n, v in good.headers.items() if n != "signature"}),
            BODY,
        ),
        "another key": (answer(REQUEST, key=KEY), BODY),
        "a request's signature": (
            replace(
                good,
                headers={**good.headers, **{n: REQUEST.headers[n] for n in ("signature", "signature-input")}},
            ),
            BODY,
        ),
    }


@pytest.mark.parametrize("what", _changed())
def test_whatever_is_changed_is_refused(what: str) -> None:
    message, content = _changed()[what]

    with pytest.raises(AnswerNotSigned):
        verify_answer(message, content, find_key=city, now=NOW)


@pytest.mark.parametrize("later", [-SKEW - timedelta(seconds=1), LIFETIME + SKEW + timedelta(seconds=1)])
def test_an_answer_out_of_time_is_refused(later: timedelta) -> None:
    with pytest.raises(AnswerNotSigned):
        verify_answer(answer(REQUEST), BODY, find_key=city, now=NOW + later)


def test_a_request_is_no_answer_of_its_sender() -> None:
    """The tag keeps signatures over requests and over answers apart, though a key may make both."""
    with pytest.raises(AnswerNotSigned):
        verify_answer(answer(REQUEST, key=KEY), BODY, find_key=city, now=NOW)
    assert verify_answer(answer(REQUEST, key=KEY), BODY, find_key=find, now=NOW) == KEY.key_id
