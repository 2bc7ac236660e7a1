"""How seldom Python looks for cycles in the processes that serve."""

import gc
from typing import Final

__all__ = ["collect_seldom"]

NEW_OBJECTS: Final = 50_000  # before the collector looks at them; a batch of messages makes fewer


def collect_seldom() -> None:
    """Look for cycles seldom, and never among what is there already: modules, tables, schemas.

    A batch makes many thousand tuples that all live until it is done, and hardly a cycle. With the usual
    thresholds the collector walked them, and every module, again and again: a third of a batch's time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS, *gc.get_threshold()[1:])
