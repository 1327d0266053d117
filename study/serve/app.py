"""The application: its page, its one address for colours, and what every request passes first."""

from __future__ import annotations

import html
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from models.colorizer import Colorizer
from study.serve.answers import answer_form, answer_json
from study.serve.colouring import Colouring
from study.serve.guard import BodyLimit, Guard
from study.serve.limits import Limits

_PAGE = Path(__file__).with_name("page.html")
# The page is one file; nothing is loaded from elsewhere, and no other site may frame it.
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "img-src blob: data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


def make_app(colorizer: Colorizer, host: str, limits: Limits) -> Starlette:
    """The application that colours with one model.

    Args:
        colorizer: The model.
        host: Where it listens, which decides who may ask.
        limits: What it takes at most.
    """
    colouring = Colouring(colorizer, limits)
    page = _page(colorizer, limits)
    answering = 0

    async def show(_request: Request) -> Response:
        return HTMLResponse(page, headers=_HEADERS)

    async def colour(request: Request) -> Response:
        nonlocal answering
        if answering >= limits.requests:
            raise HTTPException(503, limits.busy, {"Retry-After": "1"})
        answering += 1
        try:
            kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
            if kind == "application/json":
                return await answer_json(request, colouring, limits)
            if kind == "multipart/form-data":
                return await answer_form(request, colouring, limits)
            raise HTTPException(415, "Send photographs as multipart/form-data or application/json.")
        finally:
            answering -= 1

    return Starlette(
        routes=[Route("/", show), Route("/colour", colour, methods=["POST"])],
        middleware=[Middleware(Guard, host=host), Middleware(BodyLimit, limits=limits)],
        exception_handlers={HTTPException: _in_a_sentence},
    )


async def _in_a_sentence(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return PlainTextResponse(str(error.detail), error.status_code, headers=error.headers)


def _page(colorizer: Colorizer, limits: Limits) -> str:
    """The page with what it must know of model and limits."""
    origin = colorizer.config.origin
    model = " · ".join(
        str(one) for one in (colorizer.config.architecture, origin.get("study"), origin.get("dataset")) if one
    )
    known = {
        "FILES": str(limits.files),
        "MEGABYTES": str(limits.megabytes),
        "MODEL": model,
        "WARNING": str(origin.get("warning", "")),
        "TOO_MANY_FILES": limits.too_many_files,
    }
    text = _PAGE.read_text(encoding="utf-8")
    for name, value in known.items():
        text = text.replace(f"{{{{{name}}}}}", html.escape(value))
    return text
