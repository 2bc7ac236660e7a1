"""``/v1/docs``: the contract as a page to read, made by Redoc from files of this origin alone."""

from typing import Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse

from gateway.api.bodies import parts_of
from gateway.errors import NotFound

__all__ = ["router"]

router = APIRouter(prefix="/v1/docs", include_in_schema=False)
_MEDIA: Final = {
    "index.html": "text/html; charset=utf-8",
    "page.css": "text/css; charset=utf-8",
    "redoc.standalone.js": "text/javascript; charset=utf-8",
    "redoc.LICENSE.txt": "text/plain; charset=utf-8",
}
_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "connect-src 'self'",
        "style-src 'self' 'unsafe-inline'",  # Redoc writes its styles when it runs
        "img-src 'self' data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)


@router.get("")
async def page(request: Request) -> Response:
    """Return the page."""
    return _file(request, "index.html")


@router.get("/{name}")
async def asset(request: Request, name: str) -> Response:
    """Return what the page loads."""
    return _file(request, name)


def _file(request: Request, name: str) -> Response:
    if name not in _MEDIA:
        raise NotFound("the page of the interface has no such file", remedy="read /v1/docs")
    headers = {
        "Content-Security-Policy": _POLICY,
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "max-age=3600",
    }
    return FileResponse(
        parts_of(request).web_folder / "docs" / name, media_type=_MEDIA[name], headers=headers
    )
