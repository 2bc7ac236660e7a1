"""Keyed names: equal for equal inputs, different for everything else."""

import hashlib

import pytest

from gateway.signing import INDEX_KEY_BYTES, KeyedIndex, PersonKey

SECRET = bytes(range(INDEX_KEY_BYTES))
INDEX = KeyedIndex(SECRET)


def cap(scheme: str, *key: str) -> bytes:
    return INDEX.caps(scheme, [key])


def test_a_name_is_blake2b_keyed_and_personalised() -> None:
    by_hand = hashlib.blake2b(b"15:cn-420100/wuhanWH-1", digest_size=16, key=SECRET, person=b"tq/event/1")

    assert INDEX.event("cn-420100/wuhan", "WH-1") == by_hand.digest()


def test_names_are_repeated_and_depend_on_the_key() -> None:
    other = KeyedIndex(SECRET[::-1])

    assert KeyedIndex(SECRET).event("p", "e") == INDEX.event("p", "e")
    assert other.event("p", "e") != INDEX.event("p", "e")
    assert other.pseudonym("p", "u") != INDEX.pseudonym("p", "u")


def test_names_of_different_purposes_never_meet() -> None:
    names = [
        INDEX.event("a", "b"),
        INDEX.pseudonym("a", "b"),
        INDEX.caps("a", [("b",)]),
        INDEX.own_acts("a", ["b"]),
        INDEX.contents([b"a\0b"]),
    ]

    assert len({name[:8] for name in names}) == len(names)


def test_names_of_different_platforms_never_meet() -> None:
    assert INDEX.event("cn-420100/wuhan", "1") != INDEX.event("cn-440300/shenzhen", "1")
    assert INDEX.pseudonym("cn-420100/wuhan", "1") != INDEX.pseudonym("cn-440300/shenzhen", "1")


@pytest.mark.parametrize(
    ("one", "other"),
    [(("a", "bc"), ("ab", "c")), (("a", ""), ("", "a")), (("a", "b "), ("a", "b")), (("a", "B"), ("a", "b"))],
)
def test_names_do_not_run_into_each_other(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert INDEX.event(*one) != INDEX.event(*other)
    assert INDEX.pseudonym(*one) != INDEX.pseudonym(*other)
    assert cap(*one) != cap(*other)


def test_a_separator_inside_of_a_value_leads_to_no_other_name() -> None:
    assert cap("s", "a\0b", "c") != cap("s", "a", "b\0c")
    assert cap("s", "a", "b") != cap("s", "a\0b")
    assert INDEX.event("p", "a\0b") != INDEX.event("p\0a", "b")


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_key_has_its_size(size: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        KeyedIndex(bytes(size))
    with pytest.raises(ValueError, match="32 bytes"):
        PersonKey(bytes(size), epoch=1)


def test_a_pseudonym_across_platforms_is_blake2b_keyed_and_personalised() -> None:
    by_hand = hashlib.blake2b("身份".encode(), digest_size=32, key=SECRET, person=b"tq/identity/1")

    assert PersonKey(SECRET, epoch=1).pseudonym("身份") == by_hand.digest()
    assert PersonKey(SECRET, epoch=7).epoch == 7


def test_names_of_many_stand_one_behind_the_other() -> None:
    assert INDEX.events("p", ["a", "b"]) == INDEX.event("p", "a") + INDEX.event("p", "b")
    assert INDEX.pseudonyms("p", ["a", "b"]) == INDEX.pseudonym("p", "a") + INDEX.pseudonym("p", "b")
    assert INDEX.contents([b"a", b"b"]) == INDEX.contents([b"a"]) + INDEX.contents([b"b"])
    assert INDEX.events("p", []) == b""


def test_each_name_has_its_length() -> None:
    names = [INDEX.event("a", "b"), INDEX.contents([b"a"]), INDEX.pseudonym("a", "b"), cap("a", "b")]
    names += [INDEX.own_acts("a", ["b"]), INDEX.claims([(b"a", "b")]), INDEX.platform_tag("a")]

    assert list(map(len, names)) == [16, 8, 32, 16, 16, 16, 8]
