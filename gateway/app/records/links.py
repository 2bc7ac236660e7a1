"""Join the parts of linking accounts."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.app.base.home import OpenHome, open_home
from gateway.errors import LocalFileError
from gateway.service.claims.linking import Linked, Linking, link_account, unlink_account
from gateway.signing import PersonKey
from gateway.store.files.keys import create_index_key, read_index_key

__all__ = ["begin_epoch", "first_epoch", "link", "person_keys", "unlink"]


def link(root: Path, account: str, *, platform: str, identity: str, consent: str) -> Linked:
    """Link an account, as :mod:`gateway.service.claims.linking` says. Makes the key of the first epoch."""
    with _linking(root) as parts:
        return link_account(platform, account, identity=identity, consent=consent, parts=parts)


def unlink(root: Path, account: str, *, platform: str) -> None:
    """Take a link away; see :func:`gateway.service.claims.linking.unlink_account`."""
    with _linking(root) as parts:
        unlink_account(platform, account, parts=parts)


def begin_epoch(root: Path) -> int:
    """Make a new key of persons' pseudonyms; who is linked already keeps the old one's. Return its epoch."""
    with open_home(root, writing=True) as opened:
        create_index_key(opened.home.next_person_key())
        return len(opened.home.person_keys())


@contextmanager
def _linking(root: Path) -> Iterator[Linking]:
    with open_home(root, writing=True) as opened:
        _require_epoch(opened)
        yield Linking(
            links=opened.journal.claims, index=opened.index(), keys=person_keys(opened), clock=opened.clock
        )


def first_epoch(root: Path) -> None:
    """Make the first key of persons' pseudonyms, unless there is one.

    Raises:
        HomeBusy: another process writes to the home.
    """
    with open_home(root) as opened:
        if opened.home.person_keys():
            return
    with open_home(root, writing=True) as opened:
        _require_epoch(opened)


def _require_epoch(opened: OpenHome) -> None:
    if not opened.home.person_keys():
        create_index_key(opened.home.next_person_key())


def person_keys(opened: OpenHome) -> list[PersonKey]:
    """Return the keys of persons' pseudonyms, the newest epoch first.

    Raises:
        LocalFileError: there is none yet.
    """
    paths = opened.home.person_keys()
    if not paths:
        raise LocalFileError(
            "this home has no key of persons' pseudonyms yet", remedy="the service makes it; try again"
        )
    return [PersonKey(read_index_key(path), epoch=int(path.name.partition("-")[2])) for path in paths]
