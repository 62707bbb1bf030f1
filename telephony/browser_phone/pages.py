"""The page of the browser phone: files of this package, and the headers that keep it to itself."""

from collections.abc import Awaitable, Callable, Mapping
from importlib.resources import files
from types import MappingProxyType

from fastapi import APIRouter
from fastapi.responses import Response

PAGE = "index.html"

KINDS = MappingProxyType(
    {"css": "text/css", "html": "text/html", "js": "text/javascript", "svg": "image/svg+xml"}
)

HEADERS = MappingProxyType(
    {
        "Content-Security-Policy": "; ".join(
            (
                "default-src 'none'",
                "script-src 'self'",
                "style-src 'self'",
                "img-src 'self'",
                "connect-src 'self'",
                "base-uri 'none'",
                "form-action 'none'",
                "frame-ancestors 'none'",
            )
        ),
        "Permissions-Policy": "microphone=(self), camera=(), geolocation=(), display-capture=()",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }
)
"""No inline script or style, nothing from elsewhere, no frame around it, nothing kept."""


def contents() -> Mapping[str, bytes]:
    """Every file of the page, by its name."""
    folder = files("telephony.browser_phone") / "static"
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}


def pages() -> APIRouter:
    """The routes of the page: `/`, and the other files below `/phone/`."""
    router = APIRouter()
    for name, body in contents().items():
        router.add_api_route(
            "/" if name == PAGE else f"/phone/{name}", _file(name, body), methods=["GET"]
        )
    return router


def _file(name: str, body: bytes) -> Callable[[], Awaitable[Response]]:
    kind = KINDS[name.rpartition(".")[2]]

    async def answer() -> Response:
        return Response(body, media_type=kind, headers=dict(HEADERS))

    return answer
