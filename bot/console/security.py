"""What protects every answer: strict headers, no script but our own on one page, bodies of bounded length."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: The longest body of a request, in bytes.
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
#: The one page with a script, our own: it sends on who opened the Mini App.
WITH_SCRIPT = HEADERS[b"content-security-policy"].decode() + "; script-src 'self'"


class Guard:
    """Adds the headers to every answer and refuses bodies that are too long."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        # A body without a length is not read at all.
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
    """Say whether another site's page sent this request: nobody may be signed in that way."""
    return request.headers.get("sec-fetch-site", "none") not in ("same-origin", "none")
