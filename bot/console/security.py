"""Protection for every response: strict headers, no scripts except our own on one page, and a limit on body size."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: The largest request body we accept, in bytes.
MOST_BODY = 64 * 1024
HEADERS = {
    b"content-security-policy": b"default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    b"frame-ancestors 'none'; base-uri 'none'",
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"cache-control": b"no-store",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"permissions-policy": b"camera=(), microphone=(), geolocation=()",
    b"x-frame-options": b"DENY",
}
#: For the one page with a script (our own), which passes Telegram's init data on to the server.
WITH_SCRIPT = HEADERS[b"content-security-policy"].decode() + "; script-src 'self'"


class Guard:
    """Middleware that adds the headers to every response and refuses bodies that are too large."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        # Refuse a body without a length unread: we could not bound it.
        length = dict(scope["headers"]).get(b"content-length", b"0" if scope["method"] in ("GET", "HEAD") else b"")
        if not length.isdigit() or int(length) > MOST_BODY:
            await Response("Too long.", 413, headers={k.decode(): v.decode() for k, v in HEADERS.items()})(
                scope, receive, send
            )
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = {name for name, _ in message["headers"]}
                more = [(name, value) for name, value in HEADERS.items() if name not in given]
                message["headers"] = [*message["headers"], *more]
            await send(message)

        await self.app(scope, receive, guarded)


def comes_from_another_site(request: Request) -> bool:
    """Return whether a page of another site sent this request. Such a request must never sign anybody in."""
    return request.headers.get("sec-fetch-site", "none") not in ("same-origin", "none")
