"""An in-memory Telegram: people, chats, messages, updates. As strict as the real one, so that it finds real bugs.

Pure Python, no network. Used in two ways: within the process (request.py), and behind a loopback server in the tests.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

BOT = {
    "id": 1,
    "is_bot": True,
    "first_name": "Sharewise",
    "username": "sharewise_local_bot",
    "can_join_groups": True,
    "can_read_all_group_messages": False,
    "supports_inline_queries": True,
}
TAGS = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "s": "strikethrough",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
}
#: Attributes that Telegram allows: here only for a quotation that unfolds when tapped.
FOLDED = ("blockquote", [("expandable", None)])
LONGEST_TEXT, LONGEST_CAPTION, LONGEST_DATA, MOST_BUTTONS, MOST_IN_A_ROW = 4096, 1024, 64, 100, 8
DELETABLE_SECONDS = 48 * 3600


class Refused(Exception):
    """An error response of the Bot API, with its code and description."""

    def __init__(self, description: str, code: int = 400, parameters: dict[str, Any] | None = None) -> None:
        super().__init__(description)
        self.description, self.code, self.parameters = description, code, parameters


def utf16(text: str) -> int:
    """Return the length of a text as Telegram counts it, in UTF-16 code units."""
    return len(text.encode("utf-16-le")) // 2


class _Html(HTMLParser):
    """Parses Telegram's HTML subset into text and entities; refuses anything else."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text = ""
        self.entities: list[dict[str, Any]] = []
        self._open: list[tuple[str, str, int]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in TAGS or (attrs and (tag, attrs) != FOLDED):
            raise Refused(f'Bad Request: can\'t parse entities: Unsupported start tag "{tag}"')
        kind = "expandable_blockquote" if attrs else TAGS[tag]
        self._open.append((tag, kind, utf16(self.text)))

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1][0] != tag:
            raise Refused(f'Bad Request: can\'t parse entities: Unexpected end tag "{tag}"')
        _, kind, start = self._open.pop()
        self.entities.append({"type": kind, "offset": start, "length": utf16(self.text) - start})

    def handle_data(self, data: str) -> None:
        self.text += data

    def finish(self) -> tuple[str, list[dict[str, Any]]]:
        self.close()
        if self._open:
            raise Refused(f"Bad Request: can't parse entities: Can't find end tag \"{self._open[-1][0]}\"")
        return self.text.strip(), self.entities


def parse(text: str, mode: str | None) -> tuple[str, list[dict[str, Any]]]:
    """Return the plain text and entities of a message; raise Refused for an unknown mode or bad HTML."""
    if mode is None:
        return text.strip(), []
    if mode != "HTML":
        raise Refused("Bad Request: unsupported parse_mode")
    if re.search(r"&(?!(?:lt|gt|amp|quot|#\d+|#x[0-9a-fA-F]+);)", text) or re.search(r"<(?![/a-z])", text):
        raise Refused("Bad Request: can't parse entities: unescaped character")
    parser = _Html()
    parser.feed(text)
    return parser.finish()


@dataclass(frozen=True)
class Shown:
    """One change in a chat: a new message, an edit, a picture or a deletion."""

    kind: str
    chat_id: int
    message: dict[str, Any]
    file: bytes | None = None


@dataclass
class World:
    """Telegram's side of one bot: what people do, and what the API answers."""

    clock: Callable[[], float] = time.time
    pending: OrderedDict[int, dict[str, Any]] = field(default_factory=OrderedDict)
    webhook: dict[str, Any] = field(default_factory=dict)
    messages: dict[tuple[int, int], dict[str, Any]] = field(default_factory=dict)
    listeners: list[Callable[[Shown], None]] = field(default_factory=list)
    #: Fault injection: called with (method, parameters) before a call takes effect; may raise Refused.
    before: Callable[[str, dict[str, Any]], None] | None = None
    groups: dict[int, dict[str, Any]] = field(default_factory=dict)
    #: Groups whose id changed (old -> new), and chats that now refuse the bot.
    migrated: dict[int, int] = field(default_factory=dict)
    gone: set[int] = field(default_factory=set)
    #: People the bot removed from a group: (group, person).
    banned: list[tuple[int, int]] = field(default_factory=list)
    #: Groups in which the bot, as an administrator, may delete messages and remove people.
    administers: set[int] = field(default_factory=set)
    #: Errors in this class itself. PTB would mistake them for network failures and retry for ever.
    crashes: list[BaseException] = field(default_factory=list)

    def __post_init__(self) -> None:
        # Ids start from the current time, so that ids are not reused after a restart.
        now = int(self.clock())
        self._message_ids = itertools.count(now % 2**31)
        self._update_ids = itertools.count(int(self.clock() * 1000) % 2**40)
        self._query_ids = itertools.count(int(self.clock() * 1000))
        #: Taps not answered yet: query id -> person.
        self._open_queries: dict[str, int] = {}
        #: Called with (person, start parameter) when the answer to a tap opens the private chat.
        self.on_open_privately: Callable[[int, str], None] | None = None
        self._open_inline: set[str] = set()
        #: Command menus set for a single chat: chat -> (command, description).
        self.menus: dict[int, list[tuple[str, str]]] = {}
        #: The answer to each tap, by query id.
        self.answers: dict[str, dict[str, str]] = {}
        #: The results of each inline query, newest last.
        self.offered: list[list[dict[str, Any]]] = []
        self._arrived = asyncio.Event()

    # ---- what people do -------------------------------------------------------------------------
    def say(self, user_id: int, text: str, chat_id: int | None = None, **more: Any) -> int:
        """Have a person write to the bot, or in a group what the bot is allowed to see; return the update's id."""
        message = self._message(chat_id or user_id, person(user_id))
        message.update({"text": text, **more})
        command = re.match(r"/\w+(@\w+)?", text)
        if command:
            message["entities"] = [{"type": "bot_command", "offset": 0, "length": utf16(command.group())}]
        return self.push({"message": message})

    def open_group(self, chat_id: int, title: str, *, kind: str = "supergroup", topics: bool = False) -> None:
        """Have somebody create a group and add the bot to it."""
        self.groups[chat_id] = {"id": chat_id, "type": kind, "title": title, **({"is_forum": True} if topics else {})}
        self._my_membership(chat_id, "left", "member")

    def take_out(self, chat_id: int) -> None:
        """Have somebody remove the bot from a group."""
        self._my_membership(chat_id, "member", "kicked")
        self.gone.add(chat_id)

    def migrate(self, old: int, new: int) -> None:
        """Upgrade a group to a supergroup: it gets a new id, and calls with the old one are refused from now on."""
        self.groups[new] = {**self.groups[old], "id": new, "type": "supergroup"}
        self.migrated[old] = new
        message = {**self._message(old, person(0)), "migrate_to_chat_id": new}
        self.push({"message": message})
        self.push({"message": {**self._message(new, person(0)), "migrate_from_chat_id": old}})

    def _my_membership(self, chat_id: int, old: str, new: str) -> None:
        def status(name: str) -> dict[str, Any]:
            return {"status": name, "user": BOT, **({"until_date": 0} if name == "kicked" else {})}

        change = {"chat": self.groups[chat_id], "from": person(0), "date": int(self.clock())}
        self.push({"my_chat_member": {**change, "old_chat_member": status(old), "new_chat_member": status(new)}})

    def press(self, user_id: int, message: dict[str, Any], data: str) -> int:
        """Have a person tap a button; return the update's id."""
        query_id = str(next(self._query_ids))
        self._open_queries[query_id] = user_id
        return self.push(
            {
                "callback_query": {
                    "id": query_id, "from": person(user_id), "chat_instance": str(user_id), "message": message,
                    "data": data,
                }
            }
        )  # fmt: skip

    def ask_inline(self, user_id: int, text: str) -> int:
        """Have a person type @bot and some words in any chat (an inline query); return the update's id."""
        query_id = str(next(self._query_ids))
        self._open_inline.add(query_id)
        query = {"id": query_id, "from": person(user_id), "query": text, "offset": "", "chat_type": "group"}
        return self.push({"inline_query": query})

    def push(self, body: dict[str, Any]) -> int:
        """Queue an update of any kind; return its id."""
        update_id = next(self._update_ids)
        self.pending[update_id] = {"update_id": update_id, **body}
        self._arrived.set()
        return update_id

    def _message(self, chat_id: int, sender: dict[str, Any]) -> dict[str, Any]:
        message_id = next(self._message_ids)
        chat = self.groups.get(chat_id) or {"id": chat_id, "type": "private", "first_name": f"Person {chat_id}"}
        message = {"message_id": message_id, "date": int(self.clock()), "chat": chat, "from": sender}
        self.messages[chat_id, message_id] = message
        return message

    # ---- what the bot does ----------------------------------------------------------------------
    async def call(self, method: str, parameters: dict[str, Any], files: dict[str, bytes] | None = None) -> Any:
        """Carry out one Bot API call and return its result; raise Refused where the real API would refuse."""
        if self.before:
            self.before(method, parameters)
        if method.lower() == "getupdates":
            return await self._get_updates(parameters)
        self._check_chat(parameters)
        handler = getattr(self, HANDLERS.get(method.lower(), ""), None)
        if handler is None:
            raise Refused("Not Found", 404)
        return handler(parameters, files or {})

    def _check_chat(self, parameters: dict[str, Any]) -> None:
        chat_id = int(parameters.get("chat_id") or 0)
        if chat_id in self.migrated:
            raise Refused(
                "Bad Request: group chat was upgraded to a supergroup chat", 400,
                {"migrate_to_chat_id": self.migrated[chat_id]},
            )  # fmt: skip
        if chat_id in self.gone:
            raise Refused("Forbidden: bot was kicked from the supergroup chat", 403)
        if chat_id < 0 and chat_id not in self.groups:
            raise Refused("Bad Request: chat not found")

    async def _get_updates(self, parameters: dict[str, Any]) -> list[dict[str, Any]]:
        offset, timeout = int(parameters.get("offset") or 0), float(parameters.get("timeout") or 0)
        for update_id in [key for key in self.pending if key < offset]:
            del self.pending[update_id]
        deadline = time.monotonic() + timeout
        while True:
            found = [update for key, update in self.pending.items() if key >= offset][:100]
            left = deadline - time.monotonic()
            if found or left <= 0:
                return found
            self._arrived.clear()
            try:
                await asyncio.wait_for(self._arrived.wait(), left)
            except TimeoutError:
                return []

    def _get_me(self, _parameters: dict[str, Any], _files: dict[str, bytes]) -> Any:
        return BOT

    def _set_my_commands(self, parameters: dict[str, Any], _files: dict[str, bytes]) -> Any:
        for command in _list(parameters["commands"]):
            if not re.fullmatch(r"[a-z0-9_]{1,32}", _get(command, "command")):
                raise Refused("Bad Request: BOT_COMMAND_INVALID")
        scope = parameters.get("scope") or {}
        if "chat_id" in scope:
            self.menus[int(scope["chat_id"])] = [
                (_get(command, "command"), _get(command, "description")) for command in _list(parameters["commands"])
            ]
        return True

    def _set_webhook(self, parameters: dict[str, Any], _files: dict[str, bytes]) -> Any:
        self.webhook = dict(parameters)
        return True

    def _get_webhook_info(self, _parameters: dict[str, Any], _files: dict[str, bytes]) -> Any:
        waiting = len(self.pending)
        return {"url": self.webhook.get("url", ""), "has_custom_certificate": False, "pending_update_count": waiting}

    def _delete_webhook(self, _parameters: dict[str, Any], _files: dict[str, bytes]) -> Any:
        self.webhook = {}
        return True

    def _send_message(self, parameters: dict[str, Any], _files: dict[str, bytes]) -> Any:
        content = self._content(parameters, "text", LONGEST_TEXT)
        message = self._message(int(parameters["chat_id"]), BOT)
        message.update(content)
        if parameters.get("message_thread_id"):
            if not message["chat"].get("is_forum"):
                raise Refused("Bad Request: message thread not found")
            message.update(message_thread_id=int(parameters["message_thread_id"]), is_topic_message=True)
        self._show(Shown("message", message["chat"]["id"], message))
        return message

    def _leave_chat(self, parameters: dict[str, Any], _files: dict[str, bytes]) -> Any:
        chat_id = int(parameters["chat_id"])
        self._my_membership(chat_id, "member", "left")
        self.gone.add(chat_id)
        return True

    def _ban_chat_member(self, parameters: dict[str, Any], _files: dict[str, bytes]) -> Any:
        chat_id = int(parameters["chat_id"])
        if chat_id not in self.administers:
            raise Refused("Bad Request: not enough rights to restrict/unrestrict chat member")
        self.banned.append((chat_id, int(parameters["user_id"])))
        return True

    def _unban_chat_member(self, _parameters: dict[str, Any], _files: dict[str, bytes]) -> Any:
        return True

    def _send_photo(self, parameters: dict[str, Any], files: dict[str, bytes]) -> Any:
        size = {"file_id": "local", "file_unique_id": "local", "width": 1, "height": 1}
        return self._send_file("photo", [size], parameters, files)

    def _send_document(self, parameters: dict[str, Any], files: dict[str, bytes]) -> Any:
        return self._send_file("document", {"file_id": "local", "file_unique_id": "local"}, parameters, files)

    def _send_file(self, kind: str, described: Any, parameters: dict[str, Any], files: dict[str, bytes]) -> Any:
        if not files:
            raise Refused(f"Bad Request: there is no {kind} in the request")
        content = self._content(parameters, "caption", LONGEST_CAPTION) if parameters.get("caption") else {}
        message = self._message(int(parameters["chat_id"]), BOT)
        message.update({**content, kind: described})
        self._show(Shown(kind, message["chat"]["id"], message, next(iter(files.values()))))
        return message

    def _edit_message_text(self, parameters: dict[str, Any], _files: dict[str, bytes]) -> Any:
        key = int(parameters["chat_id"]), int(parameters["message_id"])
        old = self.messages.get(key)
        if old is None:
            raise Refused("Bad Request: message to edit not found")
        if old["from"] is not BOT:
            raise Refused("Bad Request: message can't be edited")
        content = self._content(parameters, "text", LONGEST_TEXT)
        if (old.get("text"), old.get("reply_markup"), old.get("entities")) == (
            content.get("text"), content.get("reply_markup"), content.get("entities"),
        ):  # fmt: skip
            raise Refused(
                "Bad Request: message is not modified: specified new message content and reply markup are exactly the same"
            )
        kept = {name: old[name] for name in ("message_id", "date", "chat", "from")}
        message = {**kept, **content, "edit_date": int(self.clock())}
        self.messages[key] = message
        self._show(Shown("edit", key[0], message))
        return message

    def _delete_message(self, parameters: dict[str, Any], _files: dict[str, bytes]) -> Any:
        key = int(parameters["chat_id"]), int(parameters["message_id"])
        message = self.messages.get(key)
        if message is None:
            raise Refused("Bad Request: message to delete not found")
        others = message["from"] is not BOT and key[0] in self.groups
        if self.clock() - message["date"] > DELETABLE_SECONDS or (others and key[0] not in self.administers):
            raise Refused("Bad Request: message can't be deleted for everyone")
        del self.messages[key]
        self._show(Shown("delete", key[0], message))
        return True

    def _answer_callback_query(self, parameters: dict[str, Any], _files: dict[str, bytes]) -> Any:
        query_id = str(parameters["callback_query_id"])
        if query_id not in self._open_queries:
            raise Refused("Bad Request: query is too old and response timeout expired or query ID is invalid")
        if utf16(parameters.get("text") or "") > 200:
            raise Refused("Bad Request: MESSAGE_TOO_LONG")
        url = parameters.get("url")
        if url and not re.fullmatch(rf"https://t\.me/{BOT['username']}\?start=[A-Za-z0-9_-]{{1,64}}", url):
            raise Refused("Bad Request: URL_INVALID")
        self.answers[query_id] = {"text": parameters.get("text") or "", "url": url or ""}
        person_id = self._open_queries.pop(query_id)
        if url and self.on_open_privately:
            self.on_open_privately(person_id, url.partition("start=")[2])
        return True

    def _answer_inline_query(self, parameters: dict[str, Any], _files: dict[str, bytes]) -> Any:
        query_id = str(parameters["inline_query_id"])
        if query_id not in self._open_inline:
            raise Refused("Bad Request: query is too old and response timeout expired or query ID is invalid")
        results = [dict(item) if isinstance(item, dict) else item.to_dict() for item in _list(parameters["results"])]
        if len(results) > 50 or len({item["id"] for item in results}) != len(results):
            raise Refused("Bad Request: RESULT_ID_DUPLICATE")
        for item in results:
            if not 1 <= len(item["id"].encode()) <= 64 or not item.get("title"):
                raise Refused("Bad Request: RESULT_ID_INVALID")
            content = item["input_message_content"]
            self._content(
                {"text": content["message_text"], "parse_mode": content.get("parse_mode")}, "text", LONGEST_TEXT
            )
        self._open_inline.discard(query_id)
        self.offered.append(results)
        return True

    def _content(self, parameters: dict[str, Any], name: str, longest: int) -> dict[str, Any]:
        text, entities = parse(str(parameters.get(name) or ""), parameters.get("parse_mode"))
        if not text:
            raise Refused("Bad Request: message text is empty")
        if utf16(text) > longest:
            raise Refused("Bad Request: message is too long")
        content: dict[str, Any] = {name: text}
        if entities:
            content["entities" if name == "text" else "caption_entities"] = entities
        markup = parameters.get("reply_markup")
        if markup:
            private = int(parameters["chat_id"]) > 0
            content["reply_markup"] = self._markup(json.loads(markup) if isinstance(markup, str) else markup, private)
        return content

    @staticmethod
    def _markup(markup: dict[str, Any], private: bool) -> dict[str, Any]:
        rows = markup.get("inline_keyboard") or []
        if sum(len(row) for row in rows) > MOST_BUTTONS or any(len(row) > MOST_IN_A_ROW for row in rows):
            raise Refused("Bad Request: too many buttons")
        for row in rows:
            for button in row:
                if not button.get("text"):
                    raise Refused("Bad Request: BUTTON_TEXT_INVALID")
                opens = (button.get("web_app") or {}).get("url", "") if private else ""
                if opens.startswith("https://") and "callback_data" not in button:
                    continue
                if not 1 <= len(str(button.get("callback_data", "")).encode()) <= LONGEST_DATA:
                    raise Refused("Bad Request: BUTTON_DATA_INVALID")
        return {"inline_keyboard": [[dict(button) for button in row] for row in rows]}

    def _show(self, shown: Shown) -> None:
        for listener in list(self.listeners):
            listener(shown)


def person(user_id: int) -> dict[str, Any]:
    """Return a person as a Telegram User object."""
    return {"id": user_id, "is_bot": False, "first_name": f"Person {user_id}"}


def _list(value: Any) -> list[Any]:
    return json.loads(value) if isinstance(value, str) else list(value)


def _get(item: Any, name: str) -> str:
    return str(item[name] if isinstance(item, dict) else getattr(item, name))


#: Bot API method names are case-insensitive: sendmessage is sendMessage.
HANDLERS = {
    name.replace("_", ""): name
    for name in (
        "_get_me", "_set_my_commands", "_set_webhook", "_get_webhook_info", "_delete_webhook", "_send_message", "_leave_chat",
        "_ban_chat_member", "_unban_chat_member", "_send_photo", "_send_document", "_edit_message_text", "_delete_message",
        "_answer_callback_query", "_answer_inline_query",
    )
}  # fmt: skip
