"""Whom a row names: an account as a word of its own, however spelled, and nothing that only looks alike."""

import json
from urllib.parse import quote

import pytest

from gateway.service.mentions import Mentions

PSEUDONYM = bytes(range(32))
CHINESE, ASCII = "用户张三-0417", "user-0417"


def mentions(person: str, *events: str) -> Mentions:
    return Mentions(person, pseudonym=PSEUDONYM, events=events)


def gb18030_read_as_utf8(text: str) -> str:
    return text.encode("gb18030").decode("utf-8", "backslashreplace")


def utf8_read_as_gb18030(text: str) -> str:
    return text.encode("utf-8").decode("gb18030", "backslashreplace")


SPELLED = {
    "alone": "{}",
    "in a cell": "T1,{},metro",
    "between Chinese words": "与{}同行",
    "in JSON": '{{"user": "{}"}}',
    "in a pointer": "/riders/{}/name",
    "as a suffix": "wx_{}",
}


@pytest.mark.parametrize("person", [CHINESE, ASCII])
@pytest.mark.parametrize("around", SPELLED.values(), ids=SPELLED)
def test_an_account_is_found_inside_a_text_and_in_a_key(person: str, around: str) -> None:
    assert mentions(person).named_by(["other", around.format(person)])


@pytest.mark.parametrize(
    "spelled",
    [
        json.dumps(CHINESE),
        json.dumps(CHINESE).upper().replace("\\U", "\\u"),
        quote(CHINESE),
        quote(CHINESE, encoding="gb18030").lower(),
        gb18030_read_as_utf8(f"T1,{CHINESE},x"),
        utf8_read_as_gb18030(f"T1,{CHINESE},x"),
        (b"\x81" + ASCII.encode()).decode("gb18030"),
        PSEUDONYM.hex(),
    ],
    ids=["json", "json in capitals", "percent", "percent of gb18030", "read as utf-8", "read as gb18030",
         "first letter swallowed", "pseudonym"],
)  # fmt: skip
def test_an_account_is_found_through_escapes_and_the_wrong_encoding(spelled: str) -> None:
    assert mentions(ASCII if "ser-0417" in spelled else CHINESE).named_by([spelled])


@pytest.mark.parametrize(
    ("person", "text"),
    [
        (ASCII, "user-04171"),
        (ASCII, "superuser-0417"),
        (ASCII, "user-041"),
        ("3", "10.3"),
        ("3", "2025-03-3"),
        ("3", "a/3"),
        ("3", "13"),
        ("13", "08:13:00"),
        (CHINESE, "用户张三-041"),
        (CHINESE, "张三"),
    ],
)
def test_what_only_looks_like_an_account_is_not_it(person: str, text: str) -> None:
    assert not mentions(person).named_by([text])


@pytest.mark.parametrize("text", ["3", "T1,3,metro", '{"user":"3"}', "3 km"])
def test_a_short_account_is_found_where_it_stands_alone(text: str) -> None:
    assert mentions("3").named_by([text])


def test_a_row_that_states_an_event_of_the_person_is_theirs() -> None:
    found = mentions(ASCII, "WH-000017", '["CARD77","08:00","出站"]', "[not json", "7", '["a","b"]')

    assert found.named_by(["WH-000017", "somebody"])
    assert found.named_by(["出站", "x", "08:00", "CARD77"])
    assert found.named_by(["[not json"])
    assert not found.named_by(["CARD77", "08:01", "出站"])
    assert not found.named_by(["WH-0000171"])
    assert not found.named_by(["7", "a", "b"]), "events of a few characters are figures elsewhere"


def test_an_account_may_have_characters_that_mean_something_in_a_pattern() -> None:
    assert mentions("a.c+(d)").named_by(["x a.c+(d) y"])
    assert not mentions("a.c+(d)").named_by(["x abc+(d) y"])
