"""Do the same for each of several that have come together, so that none suffers from another."""

from collections.abc import Callable, Sequence
from typing import TypeVar, cast

from gateway.errors import GatewayError, IntegrityBroken, LocalFileError, NotFound, Unreachable

__all__ = ["each_of", "go_on", "tried"]

T = TypeVar("T")
U = TypeVar("U")
E = TypeVar("E", bound=Exception)


def each_of(work: Callable[[T], U]) -> Callable[[Sequence[T]], list[U | Exception]]:
    """Return what does some work for each of several; where it fails the error stands in its place.

    This gateway's own trouble, such as a database that does not answer, ends it for all of them: the next
    one would only wait for the same.
    """

    def one(item: T) -> U | Exception:
        try:
            return work(item)
        except NotFound as error:
            return error
        except (Unreachable, IntegrityBroken, LocalFileError):
            raise
        except Exception as error:  # noqa: BLE001 - whatever one brings about is answered to it alone
            return error

    return lambda items: [one(item) for item in items]


def go_on(some: Sequence[T | E], ask: Callable[[Sequence[T]], Sequence[U | E]]) -> list[U | E]:
    """Ask about those for which nothing has failed so far, together and in their order."""
    left = [one for one in some if not isinstance(one, Exception)]
    answers = iter(ask(left) if left else ())
    return [cast("E", one) if isinstance(one, Exception) else next(answers) for one in some]  # no T is one


def tried(work: Callable[[], T]) -> T | GatewayError:
    """Return what some work for one of several gives, or why it gives nothing.

    This gateway's own trouble ends it for all of them, and a fault of this program does.
    """
    try:
        return work()
    except NotFound as error:
        return error
    except (Unreachable, IntegrityBroken, LocalFileError):
        raise
    except GatewayError as error:
        return error
