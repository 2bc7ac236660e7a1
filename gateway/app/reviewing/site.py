"""Join the parts of the site on which mappings are read."""

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from gateway.app.base.mappings import known_behaviours, program_from_file, shipped_programs
from gateway.app.reviewing.comparing import basket_from
from gateway.convert.program import Text
from gateway.errors import LocalFileError
from gateway.resources import page_templates
from gateway.review.site import Site, pages
from gateway.store.files.durable import write_durably

__all__ = ["write_site"]

_MARK = "site.css"


def write_site(into: Path, mappings: Sequence[Path], *, on: date) -> dict[str, object]:
    """Write the site of the shipped mappings, and of documents beside them.

    Raises:
        LocalFileError: there is something in the folder that is no earlier site.
    """
    if into.exists() and any(into.iterdir()) and not (into / _MARK).is_file():
        raise LocalFileError(
            f"expected an empty folder or an earlier site at {into}, found something else",
            remedy="name another folder",
        )
    programs = {one.digest: one for one in [*shipped_programs(), *map(program_from_file, mappings)]}
    site = Site([*programs.values()], basket_from(None), _names(), on)
    count = 0
    for path, text in pages(site, page_templates("review")):
        write_durably(into / path, text.encode())
        count += 1
    return {"into": str(into), "mappings": len(programs), "files": count, "open": str(into / "index.html")}


def _names() -> Mapping[str, Text]:
    return {one.code: Text(one.zh, one.en) for one in known_behaviours().values()}
