"""Find adapters by their entry points, so that a city can ship its own distribution."""

from collections.abc import Iterable
from difflib import get_close_matches
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final, NamedTuple

from gateway.contract import PlatformAdapter, contract_fault
from gateway.errors import LocalFileError, UsageError

__all__ = [
    "ADAPTER_GROUP",
    "AdapterUnusable",
    "FoundAdapter",
    "UnknownAdapter",
    "find_adapter",
    "list_adapters",
]

ADAPTER_GROUP: Final = "tanqiao.adapters"


class UnknownAdapter(UsageError):
    """No installed distribution offers an adapter of that name."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        super().__init__(
            f"no adapter is named {name!r}; installed: {', '.join(names) or 'none'}", field="adapter"
        )
        nearest = get_close_matches(name, names, n=1)
        self.nearest = nearest[0] if nearest else None
        self.remedy = (
            f"did you mean {nearest[0]}?"
            if nearest
            else "use one of the installed adapters, or install the distribution that offers this one"
        )


class AdapterUnusable(LocalFileError):
    """An installed adapter cannot be imported or does not keep the contract; others are not touched."""

    code = "adapter-unusable"

    def __init__(self, name: str, fault: str) -> None:
        super().__init__(f"adapter {name}: {fault}", field="adapter")
        self.name = name
        self.remedy = "mend or reinstall the distribution that offers it (see docs/howto/first-adapter.md)"


class FoundAdapter(NamedTuple):
    """An installed adapter: its name, the distribution that offers it, and why it cannot be used."""

    name: str
    distribution: str
    adapter: PlatformAdapter | None
    fault: AdapterUnusable | None


def find_adapter(name: str) -> PlatformAdapter:
    """Return the adapter of that name; no other is imported.

    Raises:
        UnknownAdapter: no distribution offers it; names the known ones and the nearest match.
        AdapterUnusable: it cannot be imported, or two distributions offer it.
    """
    found = entry_points(group=ADAPTER_GROUP)
    named = found.select(name=name)
    if not named:
        raise UnknownAdapter(name, found.names)
    if len(named) > 1:
        offers = " and ".join(sorted(f"{_distribution(entry)} ({entry.value})" for entry in named))
        raise AdapterUnusable(name, f"offered twice, by {offers}; uninstall one of them")
    return _loaded(*named)


def list_adapters() -> tuple[FoundAdapter, ...]:
    """Return every installed adapter by name; one that fails is listed with its fault."""
    entries = entry_points(group=ADAPTER_GROUP)
    return tuple(_found(entry) for entry in sorted(entries, key=lambda entry: entry.name))


def _distribution(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist else "unknown"


def _found(entry: EntryPoint) -> FoundAdapter:
    try:
        return FoundAdapter(entry.name, _distribution(entry), find_adapter(entry.name), None)
    except AdapterUnusable as fault:
        return FoundAdapter(entry.name, _distribution(entry), None, fault)


def _loaded(entry: EntryPoint) -> PlatformAdapter:
    try:
        offered: Any = entry.load()
        adapter: Any = offered() if isinstance(offered, type) else offered
    except Exception as error:  # a foreign module may raise anything while it is imported
        raise AdapterUnusable(
            entry.name, f"{type(error).__name__} while loading {entry.value}: {error}"
        ) from error
    fault = contract_fault(adapter, entry.name)
    if fault:
        raise AdapterUnusable(entry.name, f"{entry.value} {fault}")
    checked: PlatformAdapter = adapter
    return checked
