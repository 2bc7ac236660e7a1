"""Who does not answer is left alone for a while, then tried with one request."""

from gateway.peers.breaker import OPEN_SECONDS, OPEN_SECONDS_MAX, Breaker


def opened(*, failures: int = 3) -> Breaker:
    breaker = Breaker(failures=failures)
    for _ in range(failures):
        assert breaker.admits(0)
        breaker.failed(0)
    return breaker


def test_it_opens_after_so_many_failures_in_a_row() -> None:
    breaker = Breaker(failures=3)
    for _ in range(2):
        breaker.failed(0)
    breaker.succeeded()
    for _ in range(2):
        breaker.failed(0)

    assert breaker.admits(0)
    breaker.failed(0)
    assert not breaker.admits(0)


def test_one_trial_at_a_time_is_let_through_after_the_pause() -> None:
    breaker = opened()

    assert not breaker.admits(OPEN_SECONDS - 0.01)
    assert breaker.admits(OPEN_SECONDS)
    assert not breaker.admits(OPEN_SECONDS)


def test_a_good_trial_closes_it() -> None:
    breaker = opened()
    breaker.admits(OPEN_SECONDS)
    breaker.succeeded()

    assert breaker.admits(OPEN_SECONDS)
    assert breaker.admits(OPEN_SECONDS)


def test_each_failed_trial_doubles_the_pause_up_to_a_minute() -> None:
    breaker, now, pauses = opened(), 0.0, []
    for _ in range(9):
        pause = 0.0
        while not breaker.admits(now + pause):
            pause += 0.5
        pauses.append(pause)
        now += pause
        breaker.failed(now)

    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert OPEN_SECONDS_MAX == 60
