"""Of several that have come together none suffers from another; what concerns all of them ends it."""

import pytest

from gateway.errors import IntegrityBroken, LocalFileError, MalformedDocument, NotFound, Unreachable
from gateway.service.each import each_of, go_on


def raising(item: int | Exception) -> int:
    if isinstance(item, Exception):
        raise item
    return item + 1


@pytest.mark.parametrize(
    "error", [MalformedDocument("odd"), NotFound("none"), ZeroDivisionError(), KeyError("x")], ids=repr
)
def test_what_is_wrong_with_one_stands_in_its_place(error: Exception) -> None:
    assert each_of(raising)([1, error, 3]) == [2, error, 4]


@pytest.mark.parametrize(
    "error", [Unreachable("down"), IntegrityBroken("damaged"), LocalFileError("full")], ids=repr
)
def test_trouble_of_this_gateway_is_not_met_again_for_each(error: Exception) -> None:
    tried: list[int | Exception] = []

    def work(item: int | Exception) -> int:
        tried.append(item)
        return raising(item)

    with pytest.raises(type(error)):
        each_of(work)([1, error, 3])
    assert tried == [1, error]


def test_only_those_that_have_not_failed_are_asked_about_and_each_gets_its_own_answer() -> None:
    failed, refused = KeyError("x"), ValueError("y")
    asked: list[list[int]] = []

    def ask(some: list[int]) -> list[str | Exception]:
        asked.append(list(some))
        return [refused if one == 2 else f"answer {one}" for one in some]

    assert go_on([failed, 1, 2, failed, 3], ask) == [failed, "answer 1", refused, failed, "answer 3"]  # type: ignore[arg-type]  # a list is the sequence that is handed over
    assert asked == [[1, 2, 3]]


def test_nothing_is_asked_where_all_have_failed() -> None:
    failed = KeyError("x")

    assert go_on([failed], lambda _: pytest.fail("asked")) == [failed]
