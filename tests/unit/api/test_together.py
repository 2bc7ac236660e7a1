"""What many requests ask at the same moment is asked once, and each gets the answer to its own."""

import asyncio
import threading
from collections.abc import Sequence

import pytest

from gateway.api.together import Together
from gateway.errors import LocalFileError, Unreachable


def test_what_comes_while_a_call_runs_is_handed_over_together_in_its_order() -> None:
    calls: list[list[int]] = []
    go_on = threading.Event()

    def work(items: Sequence[int]) -> list[int | Exception]:
        calls.append(list(items))
        go_on.wait(10)
        return [item * 10 for item in items]

    async def asked() -> list[int]:
        together = Together(work)
        first = asyncio.create_task(together(1))
        while not calls:
            await asyncio.sleep(0)
        late = [asyncio.create_task(together(number)) for number in (2, 3, 4)]
        await asyncio.sleep(0)
        go_on.set()
        return await asyncio.gather(first, *late)

    assert asyncio.run(asked()) == [10, 20, 30, 40]
    assert calls == [[1], [2, 3, 4]]


def test_one_that_fails_or_leaves_does_not_touch_those_beside_it() -> None:
    def work(items: Sequence[str]) -> list[str | Exception]:
        return [KeyError(item) if item == "bad" else item for item in items]

    async def asked() -> list[str | BaseException]:
        together = Together(work)
        some = [asyncio.create_task(together(item)) for item in ("a", "bad", "gone", "b")]
        await asyncio.sleep(0)
        some[2].cancel()
        return await asyncio.gather(*some, return_exceptions=True)

    first, failed, gone, last = asyncio.run(asked())

    assert (first, last) == ("a", "b")
    assert isinstance(failed, KeyError)
    assert isinstance(gone, asyncio.CancelledError)


def test_a_call_that_fails_as_a_whole_fails_for_all_and_the_next_one_works() -> None:
    calls = 0

    def work(items: Sequence[str]) -> list[str | Exception]:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise OSError("gone")
        return list(items)

    async def asked() -> str:
        together = Together(work)
        failed = await asyncio.gather(together("a"), together("b"), return_exceptions=True)
        assert [type(one) for one in failed] == [OSError, OSError]
        return await together("c")

    assert asyncio.run(asked()) == "c"


def test_an_answer_too_few_is_an_error_for_all_and_keeps_nobody_waiting() -> None:
    async def asked() -> None:
        together: Together[str, str] = Together(lambda items: list(items)[1:])
        await asyncio.wait_for(asyncio.gather(together("a"), together("b")), 10)

    with pytest.raises(ValueError, match="answers"):
        asyncio.run(asked())


def test_work_that_may_be_repeated_is_done_for_each_alone_where_all_fail() -> None:
    calls: list[list[str]] = []

    def work(items: Sequence[str]) -> list[str | Exception]:
        calls.append(list(items))
        if "bad" in items:
            raise OSError("gone")
        return [item.upper() for item in items]

    async def asked() -> list[str | BaseException]:
        together = Together(work, repeatable=True, most=3)
        return await asyncio.gather(*map(together, ("a", "bad", "b", "c")), return_exceptions=True)

    first, failed, *others = asyncio.run(asked())

    assert [first, *others] == ["A", "B", "C"]
    assert isinstance(failed, OSError)
    assert calls == [["a", "bad", "b"], ["a"], ["bad"], ["b"], ["c"]]


@pytest.mark.parametrize("error", [Unreachable("away"), LocalFileError("locked")], ids=repr)
def test_a_database_that_is_away_is_not_waited_for_once_for_each(error: Exception) -> None:
    calls: list[list[str]] = []

    def work(items: Sequence[str]) -> list[str | Exception]:
        calls.append(list(items))
        raise error

    async def asked() -> list[str | BaseException]:
        together = Together(work, repeatable=True)
        return await asyncio.gather(*map(together, "abc"), return_exceptions=True)

    assert asyncio.run(asked()) == [error] * 3
    assert calls == [["a", "b", "c"]]
