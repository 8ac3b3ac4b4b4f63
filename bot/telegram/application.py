"""Build the library's Application with our handlers, over the network or the local chat."""

from __future__ import annotations

from typing import Any

from telegram.ext import Application
from telegram.request import BaseRequest

from bot.telegram.gateway import ANSWERS, Gateway
from bot.telegram.handlers.errors import on_error
from bot.telegram.handlers.updates import handlers

App = Application[Any, Any, Any, Any, Any, Any]

#: The maximum number of messages being sent at once.
SENDS = 16
#: Seconds after which a loop looks at the store again although nothing woke it: another worker may have stored something.
LOOK_AGAIN = 0.25
#: Enough connections for sends, answers to taps and polling, so that none waits for another.
CONNECTIONS = SENDS + ANSWERS + 2


def network_request() -> BaseRequest:
    """Return the request over the network, for calls and for polling."""
    from bot.telegram.http_client import AiohttpRequest

    return AiohttpRequest(CONNECTIONS)


def build(gateway: Gateway, token: str, request: BaseRequest, base_url: str | None = None) -> App:
    """Return the Application, not started. It has no updater: intake.py takes updates in."""
    builder = Application.builder().token(token).updater(None).job_queue(None)
    builder = builder.request(request).get_updates_request(request)
    if base_url:
        builder = builder.base_url(base_url)
    application: App = builder.build()
    application.add_handlers(handlers(gateway))
    application.add_error_handler(on_error(gateway))
    return application
