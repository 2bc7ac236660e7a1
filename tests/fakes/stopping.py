"""Stop some work of this process before one of its steps, as a kill would: nothing after it is done."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

__all__ = ["Killed", "killed_at"]


class Killed(BaseException):
    """Nothing that runs may catch this: it stands for a kill."""


def killed_at(step: int, work: Callable[[], object], *steps: tuple[type, str]) -> int:
    """Do some work and stop before a step that makes something last; returns how many steps there were.

    Those are flushes, removals of files, and ``steps``: a class and the name of its method each.
    """
    counted = 0

    def stopping(real: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(*args: Any, **more: Any) -> Any:
            nonlocal counted
            counted += 1
            if counted == step:
                raise Killed
            return real(*args, **more)

        return wrapper

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", stopping(os.fsync))
        for owner, name in ((Path, "unlink"), *steps):
            patch.setattr(owner, name, stopping(getattr(owner, name)))
        with suppress(Killed):
            work()
    return counted
