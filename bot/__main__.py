"""The command line. Exit codes: 0 done, 1 something was found wrong or failed, 2 the call itself was wrong."""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import re
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from importlib.metadata import version as version_of
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bot.telegram.service import Listening

VERSION = version_of("sharewise")
WRONG_CALL = 2
#: How long a worker may take to finish what is in hand.
STOP_SECONDS = 9
#: Where updates are posted when nothing else is said.
LISTEN = "127.0.0.1:8086"
#: How long a thread may go on while another waits.
SWITCH_SECONDS = 0.0001
#: What tells the bot to stop.
STOPS = (signal.SIGTERM, signal.SIGINT)
#: How long the database may take to let go of us, in seconds.
CLOSE_SECONDS = 2
#: How long the process before may take to be gone, and the database to be there, in seconds.
ENDING_SECONDS, DATABASE_SECONDS = 2, 30
#: Who can be at the terminal of the local chat.
LOCAL_PEOPLE = ("me", "colleague-1", "colleague-2", "supervisor", "administrator")


class WrongCall(Exception):
    """The command was called with something it cannot take."""


class Failed(Exception):
    """The command was right but could not be carried out."""


#: Control characters, but for line breaks and tabs: a terminal would carry them out.
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def say(text: str = "") -> None:
    """Print a line for the person; control characters are shown by their number, never as they are."""
    sys.stdout.write(CONTROLS.sub(lambda found: f"\\x{ord(found.group()):02x}", text) + "\n")


# ---- chat and serve ------------------------------------------------------------------------------
def chat(args: argparse.Namespace) -> int:
    """Chat at the terminal: no token, no network."""
    from bot.local.run import chat as run_chat

    data, store, _ = _local_store(args)
    with _only_one(data):
        try:
            asyncio.run(run_chat(store, "hmg-2015", VERSION, data, args.who))
        except KeyboardInterrupt:
            say()
        finally:
            store.close()
    return 0


def console(args: argparse.Namespace) -> int:
    """Serve the web console on this machine."""
    import logging

    import uvicorn

    from bot.composition import logs
    from bot.composition.settings import Settings
    from bot.console.app import build

    logs.set_up(logging.WARNING, form=Settings().log_format)
    data, store = getattr(args, "data", None), _open(args)
    context = _desk()
    context.console_url = context.console_url or f"http://127.0.0.1:{args.port}"
    try:
        if data:
            say(f"Sign in as the local supervisor, once: {_local_sign_in(store, context)}")
        say(f"The console is at {context.console_url}. End it with Ctrl-C.")
        sys.stdout.flush()
        token = Settings().token
        secure = context.console_url.startswith("https")
        app = build(store, context, secure=secure, token=token.get_secret_value() if token else "")
        uvicorn.run(app, host="127.0.0.1", port=args.port, log_level="warning", access_log=False, server_header=False)
    except SystemExit:
        raise Failed(f"Port {args.port} cannot be used.") from None
    finally:
        store.close()
    return 0


def _local_sign_in(store: Any, context: Any) -> str:
    from bot.local.terminal import PEOPLE
    from storage import members, web_sessions
    from storage.core.clock import later

    with store.unit() as unit:
        supervisor = members.get(unit, PEOPLE["supervisor"][0])
        if supervisor is None:
            raise Failed("There is no local supervisor yet. Run sharewise chat first.")
        code = web_sessions.make_sign_in(unit, supervisor.id, later(context.now(), 60))
    return f"{context.console_url}/in/{code}"


def demo(args: argparse.Namespace) -> int:
    """Play a story of a second opinion by itself, on data that is thrown away."""
    import tempfile

    from bot.local.demo import Script
    from bot.local.run import chat as run_chat
    from storage.core.engine import sqlite_url
    from storage.core.sealing import Keyring, make_key_file
    from storage.opening import open_store

    with tempfile.TemporaryDirectory(prefix="sharewise-demo-") as folder:
        data = Path(folder)
        store = open_store(sqlite_url(data / "sharewise.db"), Keyring(make_key_file(data / "master.key")))
        try:
            asyncio.run(run_chat(store, "hmg-2015", VERSION, data, lines=Script(args.pace)))
        finally:
            store.close()
    return 0


def _local_store(args: argparse.Namespace) -> tuple[Path, Any, Any]:
    from platformdirs import user_data_path

    from storage.core.engine import sqlite_url
    from storage.core.sealing import BadKey, Keyring, make_key_file
    from storage.opening import open_store

    data = Path(args.data or os.environ.get("SHAREWISE_DATA_DIR") or user_data_path("sharewise")).expanduser()
    try:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        keys = Keyring(make_key_file(data / "master.key"))
    except (OSError, BadKey) as error:
        raise Failed(str(error)) from None
    say(f"Your data: {data} (key file: {data / 'master.key'})")
    return data, open_store(sqlite_url(data / "sharewise.db"), keys), keys


def _only_one(data: Path) -> Any:
    """Refuse a second process on the same data."""
    from filelock import FileLock, Timeout

    class Lock(FileLock):
        def __enter__(self) -> Any:
            try:
                return super().__enter__()
            except Timeout:
                raise Failed(f"Another Sharewise is running on {data}. End it first.") from None

    # One that was just ended may need a moment to let go.
    return Lock(data / "sharewise.lock", timeout=ENDING_SECONDS)


def serve(args: argparse.Namespace) -> int:
    """Serve Telegram, by polling or by webhook, with one worker or several."""
    import logging

    from bot.composition import logs
    from bot.composition.settings import misspelt, read

    settings = read(serving=True, webhook=args.webhook)
    logs.set_up(form=settings.log_format)
    log = logging.getLogger("sharewise")
    log.setLevel(logging.INFO)
    for name, near in misspelt():
        log.warning("%s is no setting and is not read. Did you mean %s?", name, " or ".join(near))
    _make_folder(settings.data_dir)
    if args.workers > 1 and settings.on_sqlite:
        raise WrongCall("Several workers need PostgreSQL: set SHAREWISE_DATABASE_URL. A SQLite store has one.")
    listening = _listening(args, settings)
    workers = "1 worker" if args.workers == 1 else f"{args.workers} workers"
    by = "webhook" if args.webhook else "polling"
    at = f", listening on {args.listen}" if listening else ""
    on = "SQLite" if settings.on_sqlite else "PostgreSQL"
    log.info("Sharewise %s: %s on %s, by %s%s.", VERSION, workers, on, by, at)
    if args.workers > 1:
        _store_at_start(settings, first=True).close()
        return _many_workers(args.workers, partial(_serve, settings, listening, os.getpid()))
    return _serve(settings, listening)


def _serve(settings: Any, listening: Listening | None, parent: int | None = None) -> int:
    """Be one worker, until told to stop."""
    from bot.telegram import application
    from bot.telegram.gateway import Gateway
    from bot.telegram.intake import TokenRefused
    from bot.telegram.service import Service

    token = settings.token.get_secret_value()
    # Text is read in a thread of its own: a tap takes turns with it, and a turn is short.
    sys.setswitchinterval(SWITCH_SECONDS)
    with _only_one(settings.data_dir) if settings.on_sqlite else nullcontext():
        store = _store_at_start(settings, first=parent is None)
        context = _desk(settings, int(token.split(":")[0]))
        context.book  # an edition with a problem stops the start here  # noqa: B018

        async def run() -> None:
            gateway = Gateway(store, context)
            app = application.build(gateway, token, application.network_request(), settings.api_base_url)
            service = Service(app, gateway, settings.head_file, listening, parent, settings.data_dir / "pictures")
            loop = asyncio.get_running_loop()
            for number in STOPS:
                loop.add_signal_handler(number, service.stop.set)
            await service.run()

        code = 1
        try:
            with asyncio.Runner(loop_factory=_quick_loop()) as runner:
                runner.run(run())
            code = 0
        except TokenRefused as error:
            raise Failed(str(error)) from None
        finally:
            if not store.close(CLOSE_SECONDS):
                # The database says nothing, and its thread waits for it. All that was promised is committed already.
                sys.stderr.write("sharewise: the database did not answer; ended without it.\n")
                sys.stderr.flush()
                os._exit(code)
    return 0


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise Failed(f"The data folder {path} cannot be made ({error.strerror}).") from None


def _quick_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return what makes the quickest event loop there is on this system; None for the usual one."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def _store_at_start(settings: Any, *, first: bool) -> Any:
    """Open the store; wait for a database that is not there yet, as when a machine starts. `first`: look whether it will do."""
    import logging

    from storage.core.engine import check_for_serving
    from storage.core.faults import StorageUnavailable
    from storage.opening import open_store
    from storage.operations import erasure

    give_up = time.monotonic() + DATABASE_SECONDS
    while True:
        try:
            if first:
                check_for_serving(settings.url)
            store = open_store(settings.url, settings.keys())
            if first:
                with store.unit() as unit:
                    erasure.reconcile(unit, settings.data_dir)
            return store
        except StorageUnavailable as error:
            if time.monotonic() > give_up:
                raise
            logging.getLogger("sharewise").warning("%s Trying again for %s seconds.", error, DATABASE_SECONDS)
            time.sleep(1)


def _listening(args: argparse.Namespace, settings: Any) -> Listening | None:
    """Return where to listen, if that is wanted."""
    from bot.telegram.service import Listening

    if args.webhook and not args.listen:
        args.listen = LISTEN
    if not args.listen:
        return None
    host, _, port = args.listen.rpartition(":")
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise WrongCall(f"--listen {args.listen}: write HOST:PORT, with a port from 1 to 65535.")
    try:
        listening = socket.create_server((host or "127.0.0.1", int(port)), backlog=2048)
    except OSError as error:
        raise Failed(f"{args.listen} cannot be listened on ({error.strerror}).") from None
    return Listening(listening, settings.webhook_secret.get_secret_value() if args.webhook else None)


def _many_workers(count: int, serve_one: Callable[[], int]) -> int:
    """Run workers as processes of their own. When one ends unasked, all end, and so does this.

    They are forks of this one: what every worker needs is loaded once, and stands in memory once.
    """
    from multiprocessing import connection, get_context

    from bot.telegram import http_client, service  # noqa: F401 (loaded for all)

    gc.collect()
    # Left alone from here on, so that it stays shared.
    gc.freeze()
    told: list[int] = []
    # Nobody is told to stop between its beginning and its listening to that.
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
    for number in STOPS:
        signal.signal(number, lambda number, _frame: told.append(number))
    fork = get_context("fork")
    # Daemons: none is left behind when this one fails.
    workers = [fork.Process(target=_work, args=(serve_one,), daemon=True) for _ in range(count)]
    for worker in workers:
        worker.start()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)
    ends: list[Any] = []
    while not told and not ends:
        ends = connection.wait([worker.sentinel for worker in workers], 0.2)
    ended = [worker for worker in workers if worker.sentinel in ends]
    for worker in workers:
        worker.terminate()
    until = time.monotonic() + STOP_SECONDS
    for worker in workers:
        worker.join(max(0.0, until - time.monotonic()))
        if worker.is_alive():
            worker.kill()
            worker.join()
    if ended and not told:
        for worker in ended:
            code = worker.exitcode or 0
            how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
            sys.stderr.write(f"sharewise: worker {worker.pid} ended {how}; all were ended.\n")
        return 1
    # One that was told to stop before it could listen to that had nothing in hand.
    return int(any(worker.exitcode not in (0, -signal.SIGTERM) for worker in workers))


def _work(serve_one: Callable[[], int]) -> None:
    """Be one of several workers, in a process of its own."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)
    sys.exit(_carry_out(serve_one))


def webhook(args: argparse.Namespace) -> int:
    """Tell Telegram where to post updates, stop that, or ask how it goes: a step of a deployment, not of every start."""
    from bot.composition.settings import read
    from bot.telegram.http_client import AiohttpRequest
    from bot.telegram.intake import ALLOWED, TokenRefused
    from bot.telegram.webhook import PATH

    settings = read(serving=True, webhook=args.verb == "set")
    assert settings.token is not None  # noqa: S101 (read checked)
    if args.verb == "set" and not re.match(r"https://[^/]|http://(127\.0\.0\.1|localhost)\b", args.url):
        raise WrongCall("The address must be https://HOST (http:// only on this machine).")

    async def call() -> Any:
        from telegram import Bot
        from telegram.error import InvalidToken, NetworkError, TelegramError, TimedOut

        bot = Bot(settings.token.get_secret_value(), settings.api_base_url, request=AiohttpRequest(1))  # type: ignore[union-attr]
        try:
            async with bot:
                if args.verb == "set":
                    secret = settings.webhook_secret.get_secret_value()  # type: ignore[union-attr]
                    url = args.url.rstrip("/").removesuffix(PATH) + PATH
                    await bot.set_webhook(
                        url, secret_token=secret, allowed_updates=ALLOWED, max_connections=args.connections
                    )
                elif args.verb == "delete":
                    await bot.delete_webhook()
                return (await bot.get_webhook_info()).to_dict()
        except InvalidToken:
            raise Failed(str(TokenRefused())) from None
        except TelegramError as error:
            if type(error) in (NetworkError, TimedOut):
                raise Failed(f"Telegram cannot be reached at {settings.api_base_url}.") from None
            raise Failed(f"Telegram says: {error.message}.") from None

    info = asyncio.run(call())
    if args.json:
        say(json.dumps(info))
    else:
        say(
            f"Webhook: {info.get('url') or 'none: the bot is polled'}. Waiting at Telegram: {info.get('pending_update_count', 0)}."
        )
        if info.get("last_error_message"):
            say(f"Last trouble: {info['last_error_message']}")
    return 0


# ---- guidance ------------------------------------------------------------------------------------
def walk(args: argparse.Namespace) -> int:
    """Play a walk without any chat."""
    from flows.catalogue import open_book
    from flows.rehearsal import WrongAnswer, play
    from flows.since import said_of

    flow, pairs = args.flow, [_pair(text) for text in args.answers]
    if not pairs and not sys.stdin.isatty():
        flow, pairs = _pairs_from(sys.stdin.read(), flow)
    if not flow:
        raise WrongCall("Say which flow: --flow sharing or --flow board_request.")
    book = open_book(args.edition)
    try:
        played = play(book, flow, pairs)
    except WrongAnswer as error:
        raise WrongCall(str(error)) from None
    position = played.position
    result: dict[str, Any] = {
        "outcome": position.outcome.id if position.outcome else None,
        "duties": list(position.duties),
        "passages": list(position.cites(book.edition.duties)),
        "path": list(played.path),
        "assumed": [edge for edge in played.assumed if edge in position.path and not edge.startswith("outcome.")],
        "state": position.state,
        "since": said_of(book.edition, position.outcome.id if position.outcome else None),
    }
    if args.json:
        say(json.dumps(result))
        return 0
    outcome = position.outcome
    say(f"Path:     {' > '.join(result['path']) or '(nothing answered)'}")
    if result["assumed"]:
        say(f"Assumed:  {', '.join(result['assumed'])}")
    say(
        f"Outcome:  {outcome.id}: {outcome.title}"
        if outcome
        else f"Outcome:  none yet, the walk stands at {position.state}"
    )
    if result["since"]:
        say(f"Note:     {result['since']}")
    for key in position.duties:
        say(f"Duty:     {key}: {book.edition.duties[key].text}")
    for key in result["passages"]:
        passage = book.edition.passages[key]
        say(f"Passage:  {key}: {passage.section}, {passage.where}")
    return 0


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals and key != "back":
        raise WrongCall(f'"{text}" is no answer: write question=option, for example purpose=yes.')
    return key, value


def _pairs_from(text: str, flow: str | None) -> tuple[str | None, list[tuple[str, str]]]:
    if not text.strip():
        return flow, []
    try:
        said = json.loads(text)
        pairs = [(key, value) for key, value in said["answers"]]
        if not all(isinstance(part, str) for pair in pairs for part in pair):
            raise TypeError("not text")
        named = said.get("flow", flow)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise WrongCall('Standard input must be JSON: {"flow": "sharing", "answers": [["purpose", "yes"]]}') from None
    if flow and named != flow:
        raise WrongCall(f"--flow says {flow}, standard input says {named}.")
    return named, pairs


def draw(args: argparse.Namespace) -> int:
    """Draw a flowchart, with a walked path lit."""
    from flows import chart
    from flows.catalogue import open_book
    from flows.rehearsal import WrongAnswer, play

    book = open_book(args.edition)
    if args.flow not in book.machines:
        raise WrongCall(f'There is no flow "{args.flow}". Known: {", ".join(sorted(book.machines))}.')
    path, at = tuple[str, ...](), ""
    if args.path:
        try:
            position = play(book, args.flow, [_pair(text) for text in args.path]).position
            path, at = position.path, position.state
        except WrongAnswer as error:
            raise WrongCall(str(error)) from None
    machine, target = book.machine(args.flow), Path(args.output)
    drawn = {
        ".svg": lambda: chart.svg(machine, path, at).encode(),
        ".png": lambda: chart.png(machine, path, at),
        ".mmd": lambda: chart.mermaid(machine).encode(),
    }.get(target.suffix.lower())
    if drawn is None:
        raise WrongCall("The file must end in .svg, .png or .mmd.")
    try:
        target.write_bytes(drawn())
    except OSError as error:
        raise Failed(f"{target} cannot be written: {error.strerror}.") from None
    say(f"Drawn: {target}")
    return 0


def ask(args: argparse.Namespace) -> int:
    """Answer a question from an edition; nothing of it is kept."""
    from flows.advice import index_of
    from flows.screening import LONGEST

    index, question = index_of(args.edition), " ".join(args.question)
    if len(question) > LONGEST:
        raise WrongCall(f"The question has {len(question)} characters, {LONGEST} is the most.")
    found = index.ask(question)
    if args.json:
        passages = [{"id": hit.passage, "score": round(hit.score, 4)} for hit in found.passages]
        say(json.dumps({"band": found.band, "passages": passages, "emergency": found.emergency}))
        return 0
    if found.emergency:
        say("A child in danger comes first: call 999 now, or 101 if it is not urgent.\n")
    for shortcut in found.shortcuts:
        say(f"{shortcut.written} means {shortcut.means}.")
    if found.band == "none":
        about = f" It does not cover this: {found.topic.title}." if found.topic and found.topic.title else ""
        near = ", ".join(found.topic.near) if found.topic else ""
        say(f"The advice does not answer this.{about} Ask your safeguarding lead or your manager.")
        if near:
            say(f"Near: {near}")
    elif found.band == "closest":
        say("Not sure what answers this. The closest passages:")
    for hit in found.passages:
        passage = index.edition.passages[hit.passage]
        say(
            f"\n{passage.title} [{hit.passage}, {hit.score:.2f}]\n{passage.text}\nSource: {passage.section}, {passage.where}."
        )
    if index.on_law & {hit.passage for hit in found.passages}:
        say(f"\n{index.edition.law_note}")
    say(f"\n{index.edition.banner}")
    return 0


def screen(args: argparse.Namespace) -> int:
    """Say what in texts would identify a person: one text a line on standard input, in UTF-8 or UTF-16."""
    from bot.composition.settings import Settings
    from flows import screening

    own = Settings().own_reference
    for text in _lines_of(sys.stdin.buffer.read(MOST_INPUT + 1)):
        if len(text) > screening.LONGEST_READ:
            raise WrongCall(f"A line has {len(text)} characters, {screening.LONGEST_READ} is the most.")
        found = screening.identifiers(text, own_reference=own)
        if args.json:
            say(json.dumps({"findings": [{"kind": item.kind, "start": item.start, "end": item.end} for item in found]}))
        else:
            say("; ".join(f"{item.kind} {item.start}-{item.end}" for item in found) or "nothing found")
    return 0


#: Bytes that `screen` reads.
MOST_INPUT = 20_000_000


def _lines_of(raw: bytes) -> Iterator[str]:
    """Give the lines of a file in UTF-8 or UTF-16, marked as such or not; raise Failed when it is neither."""
    if len(raw) > MOST_INPUT:
        raise Failed(f"Standard input has more than {MOST_INPUT} bytes. Give it in parts.")
    odd, even = raw[1:2000:2].count(0), raw[0:2000:2].count(0)
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        coding = "utf-16"
    elif max(odd, even) > len(raw[:2000]) // 8:
        coding = "utf-16-le" if odd > even else "utf-16-be"
    else:
        coding = "utf-8-sig"
    try:
        text = raw.decode(coding)
    except UnicodeDecodeError:
        raise Failed("Standard input cannot be read: it is neither UTF-8 nor UTF-16.") from None
    lines = re.split(r"\r\n|\n|\r", text)
    yield from lines[:-1] if lines[-1] == "" else lines


# ---- what is stored ------------------------------------------------------------------------------
def _open(args: argparse.Namespace) -> Any:
    """Open the store of the local chat when its key file is there (or named), else that of the settings."""
    from bot.composition.settings import BadSettings, read
    from storage.core.engine import sqlite_url
    from storage.core.sealing import Keyring, key_from_file
    from storage.opening import open_store

    data = getattr(args, "data", None)
    if data is None:
        try:
            settings = read()
            settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
            return open_store(settings.url, settings.keys())
        except BadSettings as error:
            from platformdirs import user_data_path

            folder = Path(os.environ.get("SHAREWISE_DATA_DIR") or user_data_path("sharewise"))
            if not (folder / "master.key").exists():
                raise error
            data = folder
    folder = Path(data).expanduser()
    if not (folder / "sharewise.db").exists():
        raise Failed(f"There is no store in {folder}.")
    return open_store(sqlite_url(folder / "sharewise.db"), Keyring(key_from_file(folder / "master.key")))


@contextmanager
def _unit(args: argparse.Namespace) -> Iterator[Any]:
    """Open the store for one transaction."""
    store = _open(args)
    try:
        with store.unit() as unit:
            yield unit
    finally:
        store.close()


def records(args: argparse.Namespace) -> int:
    """List stored records, opened with the key."""
    from bot.domain.record import exported
    from storage import members
    from storage.core import ledger
    from storage.core.clock import utc_now
    from storage.records import listed

    with _unit(args) as unit:
        member = members.get(unit, args.member) if args.member else None
        if args.member and member is None:
            raise Failed(f"{args.member} is not a member.")
        found = list(listed(unit, member.id if member else None))
        ledger.append(unit, utc_now(), "command line", "records.listed", f"{len(found)} records")
    if args.json:
        for stored in found:
            say(json.dumps(exported(stored)))
        return 0
    from bot.messages.cards import time_of

    rows = [("Reference", "Saved", "Flow", "Points to", "Decided", "Case", "Notes")]
    for stored in found:
        clear = stored.clear
        decided = f"{clear['decision'] or '-'}{' (otherwise)' if clear['otherwise'] else ''}"
        case = stored.content.get("case_reference") or "-"
        rows.append(
            (
                clear["reference"],
                time_of(clear["finished_at"]),
                clear["flow"],
                clear["outcome"],
                decided,
                case,
                str(len(stored.amendments)),
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        say("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    say(f"{len(found)} records")
    return 0


def verify(args: argparse.Namespace) -> int:
    """Check the ledger and every record's seal."""
    from storage.core import ledger
    from storage.operations import heads
    from storage.operations.integrity import verify as check

    try:
        with _unit(args) as unit:
            checked, head = check(unit), ledger.head(unit)
            broken = checked.broken
            for kept in args.head or ():
                seq, _, hashed = kept.partition(":")
                if not seq.isdigit() or not hashed:
                    raise WrongCall(f"--head {kept}: write NUMBER:HASH, as the daily message says it.")
                broken = broken or ledger.check_head(unit, int(seq), hashed)
            if args.heads and broken is None:
                lines = Path(args.heads).read_text(encoding="ascii").splitlines()
                _, broken = heads.check(unit, lines, frozenset(args.key or ()))
    except heads.BadLine as error:
        raise WrongCall(f"--heads {args.heads}: {error}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise WrongCall(f"--heads {args.heads} cannot be read ({type(error).__name__}).") from None
    if args.json:
        found = {"where": broken.where, "what": broken.what} if broken else None
        counted = {"entries": checked.entries, "records": checked.records, "head": f"{head[0]}:{head[1]}"}
        say(json.dumps({**counted, "broken": found}))
    elif broken:
        say(f"BROKEN: {broken.where} {broken.what}.")
    else:
        say(f"All is as it was written: {checked.entries} ledger entries, {checked.records} records.")
    return 1 if broken else 0


def head(args: argparse.Namespace) -> int:
    """Print the ledger's head, signed, to be kept outside."""
    from storage.core.clock import utc_now
    from storage.operations import heads

    with _unit(args) as unit:
        say(heads.signed(unit, utc_now()))
    return 0


def member(args: argparse.Namespace) -> int:
    """Add, end or list members."""
    from bot.usecases import membership
    from storage import members
    from storage.core.clock import utc_now

    with _unit(args) as unit:
        if args.verb == "add":
            name, args.team = _staff_name(args), _team_name("--team", args.team)
            for telegram_id in args.telegram_id:
                before = members.get(unit, telegram_id)
                if before:
                    membership.changing(unit, _desk(), before, args.role, args.team, "command line")
                saved = members.save(unit, telegram_id, args.role, args.team, utc_now(), "command line", name)
                say(f"Member {saved.telegram_id}: {saved.role}, team {saved.team}.")
        elif args.verb == "invite":
            _invite(unit, args)
        elif args.verb == "end":
            known = members.get(unit, args.telegram_id)
            if known is None:
                raise Failed(f"{args.telegram_id} is not a member.")
            membership.ended(unit, _desk(), known, "command line")
            say(f"Member {args.telegram_id} has ended.")
        else:
            found = members.listed(unit)
            for row in found:
                line = {
                    "telegram_id": row.telegram_id,
                    "role": row.role,
                    "team": row.team,
                    "known_as": row.known_as,
                    "ended_at": row.ended_at,
                    "unreachable_since": row.unreachable_since,
                }
                ended = f"  ended {row.ended_at}" if row.ended_at else ""
                say(
                    json.dumps(line)
                    if args.json
                    else f"{row.telegram_id}  {row.role}  {row.team}  {row.known_as}{ended}".rstrip()
                )
            if not args.json:
                say(f"{len(found)} members")
    return 0


def _desk(settings: Any = None, bot_id: int = 0) -> Any:
    """Return a desk as the settings say. One of the command line answers nobody: it needs no bot's id."""
    from bot.composition.settings import Settings
    from bot.usecases.context import Context

    settings = settings or Settings()
    limited = settings.sends_per_second > 0
    return Context(
        settings.edition or "hmg-2015", bot_id, VERSION, settings.case_pattern, settings.own_reference,
        console_url=settings.console_url, clear_chats_hours=settings.clear_chats_hours,
        sends_per_second=settings.sends_per_second, updates_per_minute=settings.updates_per_minute if limited else 0,
    )  # fmt: skip


def _typed(option: str, text: str, take: Callable[[Any], Any]) -> Any:
    """Return what somebody typed at the command line as it may be kept. It goes through the same gate as every other text."""
    from bot.messages.cards import refusal
    from bot.usecases import typed_text
    from flows.screening import NotScreened

    typed = typed_text.read(_desk(), text)
    if typed.is_danger:
        sys.stderr.write("A child in danger comes first: call 999 now, or 101 if it is not urgent.\n")
    try:
        return take(typed)
    except NotScreened as error:
        raise WrongCall(f"{option}: {refusal(error, 'Nothing was changed.')}") from None


def _staff_name(args: argparse.Namespace) -> Any:
    from bot.usecases import typed_text

    return _typed("--known-as", args.known_as or "", typed_text.name_of_staff)


def _team_name(option: str, name: str) -> str:
    from bot.usecases import typed_text

    named = _typed(option, name, partial(typed_text.name_of_staff, longest=typed_text.LONGEST_TEAM))
    if named is None:
        raise WrongCall(f"{option}: a team needs a name.")
    return str(named.text)


def _office_words(option: str, text: str, longest: int) -> Any:
    from bot.usecases import typed_text

    return _typed(option, text, lambda typed: typed_text.office_words(typed, longest)) if text.strip() else None


def _telegram_id(text: str) -> int:
    """Return a Telegram id; a number that Telegram cannot have given is refused by the parser."""
    number = int(text)
    if not 0 < number < 2**52:
        raise ValueError
    return number


def _invite(unit: Any, args: argparse.Namespace) -> None:
    from bot.usecases.membership import INVITE_MINUTES
    from storage import invites, teams
    from storage.core.clock import later, utc_now

    name, args.team = _staff_name(args), _team_name("--team", args.team)
    at = utc_now()
    teams.ensure(unit, args.team)
    ends = later(at, INVITE_MINUTES)
    code, _ = invites.make(unit, args.role, args.team, name, at, ends, "command line", open_=True)
    say(
        f"An invite for one {args.role} of team {args.team}. It works once, for 48 hours. In the chat with the bot, send:"
    )
    say(f"/start i_{code}")


def retention(args: argparse.Namespace) -> int:
    """Set how long records are kept, hold them, list what is due, erase."""
    from bot.usecases import typed_text
    from flows.screening import PERSON
    from storage import records
    from storage import retention as keeping
    from storage.core.clock import utc_now
    from storage.operations import erasure

    why: Any = None
    if args.verb == "hold":
        longest = typed_text.LONGEST_REASON
        why = _typed("--reason", args.reason, lambda typed: typed.screened(longest=longest, override=(PERSON,)))
    store, at, actor = _open(args), utc_now(), "command line"
    erased: list[str] = []
    try:
        with store.unit() as unit:
            if args.verb == "erase":
                erasure.reconcile(unit, _folder(args))
            if args.verb == "set":
                keeping.put(unit, args.record_class, args.days, args.review_days, at, actor)
            for reference in getattr(args, "reference", ()):
                stored = records.find(unit, reference.strip().upper())
                if stored is None:
                    raise Failed(f"There is no record {reference}. Nothing was changed.")
                record_id = stored.clear["id"]
                if args.verb == "hold":
                    keeping.hold(unit, record_id, why, at, actor)
                elif args.verb == "release":
                    keeping.release(unit, record_id, at, actor)
                else:
                    erasure.erase(unit, record_id, at, actor)
                    erased.append(record_id)
            due = keeping.due(unit, at) if args.verb == "due" else []
            found, counts = keeping.rules(unit), keeping.counts(unit)
            if erased:
                erasure.note(_folder(args), erased)
        if erased:
            store.forget_old_pages()
    except (keeping.CannotSet, erasure.Held, erasure.BadList) as error:
        raise Failed(str(error)) from None
    finally:
        store.close()
    if args.verb == "due":
        for one in due:
            held = "  ON HOLD" if one.held else ""
            line = f"{one.reference}  {one.what}  {one.record_class}  saved {one.finished_at[:10]}{held}"
            say(json.dumps(vars(one)) if args.json else line)
        return 0
    if args.verb in ("hold", "release", "erase"):
        say(f"{args.verb}: {', '.join(args.reference)}. Kept: {counts['kept']}, erased: {counts['erased']}.")
        return 0
    for name, words in keeping.CLASSES.items():
        rule = found.get(name)
        if args.json:
            say(json.dumps({"class": name, "days": rule and rule.days, "review_days": rule and rule.review_days}))
        elif rule is None:
            say(f"{words} ({name}): not set: kept")
        else:
            kept = f"{rule.days} days" if rule.days else f"kept; look again after {rule.review_days} days"
            say(f"{words} ({name}): {kept}")
    return 0


def _folder(args: argparse.Namespace) -> Path:
    from bot.composition.settings import Settings

    return Path(args.data).expanduser() if args.data else Settings().data_dir


def back_up(args: argparse.Namespace) -> int:
    """Write an encrypted copy of a SQLite store that is in use."""
    from storage.operations import backup

    store = _open(args)
    try:
        if store.engine.dialect.name != "sqlite":
            raise Failed("This is for SQLite. Back PostgreSQL up with its own tools (pg_dump, WAL archive).")
        size = backup.make(_folder(args) / "sharewise.db", Path(args.file), store.keys)
    except OSError as error:
        raise Failed(f"{args.file} cannot be written: {error.strerror}.") from None
    finally:
        store.close()
    say(f"Backed up: {args.file}, {size} bytes. It opens only with the master key, which is not in it.")
    return 0


def pause(args: argparse.Namespace) -> int:
    """Stop the bot for a time, with a reason that people are shown, or let it go on."""
    from bot.usecases.typed_text import LONGEST_REASON
    from storage import pause as switch
    from storage.core.clock import utc_now

    with _unit(args) as unit:
        if args.run_on:
            was = switch.end(unit, utc_now(), "command line")
            say("It goes on." if was else "It was not stopped.")
        elif args.reason and args.reason.strip():
            words = _office_words("--reason", args.reason, LONGEST_REASON)
            switch.put(unit, words, utc_now(), "command line")
            say(f"Stopped. People are told: {words.text}")
        else:
            why = switch.reason(unit)
            say("It is not stopped." if why is None else f"It is stopped: {why}")
    return 0


def rotate(args: argparse.Namespace) -> int:
    """Bring everything under the master key of now; the one before must be given too."""
    from bot.composition.settings import read
    from storage.core.clock import utc_now
    from storage.opening import open_store
    from storage.operations.rotation import rotate as bring

    settings = read()
    if settings.old_master_key_file is None:
        raise WrongCall(
            "Set SHAREWISE_OLD_MASTER_KEY_FILE to the key before, and SHAREWISE_MASTER_KEY_FILE to the new one."
        )
    store = open_store(settings.url, settings.keys())
    try:
        total = bring(store, utc_now(), lambda name, done: say(f"{name}: {done} done so far"))
    finally:
        store.close()
    say(f"Done: {total} keys were wrapped anew. Open invites and sessions have ended.")
    say("Restart the bot without SHAREWISE_OLD_MASTER_KEY_FILE. Keep the old key only as long as backups need it.")
    return 0


def restore(args: argparse.Namespace) -> int:
    """Write a backup back into an empty folder, erase again what was erased, hold back messages from before."""
    from bot.composition.settings import read
    from storage.core.clock import utc_now
    from storage.core.engine import sqlite_url
    from storage.core.sealing import Keyring, key_from_file
    from storage.opening import open_store
    from storage.operations import backup, erasure
    from storage.operations.integrity import verify as check

    folder = Path(args.into).expanduser()
    key_file = folder / "master.key"
    keys = Keyring(key_from_file(key_file)) if key_file.exists() else read().keys()
    try:
        known = erasure.read(Path(args.erased)) if args.erased else []
        _make_folder(folder)
        backup.restore(Path(args.file), folder / "sharewise.db", keys)
    except OSError as error:
        raise Failed(f"{args.file} cannot be read: {error.strerror}.") from None
    except (backup.BadBackup, erasure.BadList) as error:
        raise Failed(str(error)) from None
    store = open_store(sqlite_url(folder / "sharewise.db"), keys)
    try:
        with store.unit() as unit:
            erased = erasure.repeat(unit, known, utc_now())
            held = 0 if args.send_waiting else backup.hold_messages(unit)
            checked = check(unit)
    finally:
        store.close()
    if not args.erased:
        say("No list of erasures was given (--erased FOLDER/erased.jsonl): what was erased since the backup is back.")
    say(f"Restored. Erased again: {erased}. Messages held back: {held} (--send-waiting sends them).")
    say(f"Ledger entries: {checked.entries}, records: {checked.records}.")
    if checked.broken:
        say(f"BROKEN: {checked.broken.where} {checked.broken.what}.")
    return 1 if checked.broken else 0


def team(args: argparse.Namespace) -> int:
    """Set or list teams: their channel, and what closes a request for opinions."""
    from storage import teams

    with _unit(args) as unit:
        if args.verb == "set":
            _set_team(unit, args)
        found = teams.listed(unit)
    for row in found:
        if args.json:
            say(json.dumps(vars(row)))
        else:
            channel = row.channel_chat_id or "none"
            say(f"{row.name}  channel {channel}  opinions {row.quorum}  minutes {row.deadline_minutes}")
    if not args.json:
        say(f"{len(found)} teams")
    return 0


def _set_team(unit: Any, args: argparse.Namespace) -> None:
    from storage import teams
    from storage.core.clock import utc_now

    at, actor, args.name = utc_now(), "command line", _team_name("TEAM", args.name)
    teams.ensure(unit, args.name)
    try:
        if args.quorum is not None:
            teams.set_quorum(unit, args.name, args.quorum, at, actor)
        if args.deadline is not None:
            teams.set_deadline(unit, args.name, args.deadline, at, actor)
        if args.channel == "none":
            teams.release(unit, args.name, at, actor)
        elif args.channel is not None:
            teams.claim(unit, args.name, int(args.channel), None, at, actor)
    except (teams.CannotSet, ValueError) as error:
        raise WrongCall(str(error)) from None


def local(args: argparse.Namespace) -> int:
    """Set or list the local route."""
    from storage import local_contacts
    from storage.core.clock import utc_now

    with _unit(args) as unit:
        if args.verb == "set":
            try:
                value = _office_words("VALUE", args.value, local_contacts.LONGEST)
                local_contacts.put(unit, args.name, value, utc_now(), "command line")
            except local_contacts.CannotSet as error:
                raise WrongCall(str(error)) from None
        found = local_contacts.get(unit)
    if getattr(args, "json", False):
        say(json.dumps({name: found.get(name) for name in local_contacts.NAMES}))
        return 0
    for name, words in local_contacts.NAMES.items():
        say(f"{words} ({name}): {found.get(name, 'not set')}")
    return 0


def unanswered(args: argparse.Namespace) -> int:
    """List questions that got no answer or no help, most often first."""
    from storage import questions

    with _unit(args) as unit:
        found = questions.listed(unit)
    for counted in found:
        if args.json:
            say(json.dumps(vars(counted)))
        else:
            say(f"{counted.times:5}  {counted.kind:13}  {counted.subject:20}  {counted.question or ''}")
    if not args.json:
        say(f"{len(found)} counted")
    return 0


def parked(args: argparse.Namespace) -> int:
    """List what was parked after it failed, have it tried again, or give it up."""
    from storage import mailbox
    from storage.core import ledger
    from storage.core.clock import utc_now

    with _unit(args) as unit:
        if args.verb != "list":
            what, _, number = args.name.partition(":")
            if what not in ("update", "message") or not (number.isascii() and number.isdigit() and len(number) < 19):
                raise WrongCall(f"{args.name}: write update:NUMBER or message:NUMBER, as the list says it.")
            act = mailbox.try_again if args.verb == "retry" else mailbox.drop
            if not act(unit, what, int(number)):
                raise Failed(f"{args.name} is not parked. Nothing was changed.")
            ledger.append(unit, utc_now(), "command line", f"parked.{args.verb}", args.name)
        found = mailbox.parked(unit)
    for one in found:
        name = f"{one.what}:{one.id}"
        if args.json:
            say(json.dumps({"name": name, "at": one.at, "tries": one.tries, "is": one.name, "cause": one.cause}))
        else:
            kind = f"Telegram's {one.name}" if one.what == "update" else f"a {one.name}"
            say(f"{name:16}  {kind:24}  since {one.at[:19]}  tries {one.tries}  {one.cause}")
    if not args.json:
        say(f"{len(found)} parked")
    return 0


# ---- the parser ----------------------------------------------------------------------------------
def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 100):
        raise argparse.ArgumentTypeError("must be 1 to 100")
    return int(text)


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    main_parser = argparse.ArgumentParser(prog="sharewise", description=__doc__.split("\n")[0] if __doc__ else None)
    main_parser.add_argument("--version", action="version", version=f"sharewise {VERSION}")
    commands = main_parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Any, text: str, action: str = "read_guidance") -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text)
        added.set_defaults(run=run, action=action)
        return added

    data: dict[str, Any] = {"metavar": "DIR", "help": "folder of a local chat's data"}
    chatting = command("chat", chat, "chat at the terminal: no token, no network")
    chatting.add_argument("--data", **data)
    chatting.add_argument("--as", dest="who", default="me", choices=LOCAL_PEOPLE, help="who you are at first")
    playing_demo = command("demo", demo, "play the story of a second opinion by itself; nothing of it is kept")
    playing_demo.add_argument("--pace", type=float, default=1.0, metavar="SECONDS", help="between two steps")
    serve_parser = command("serve", serve, "serve Telegram, by polling or --webhook; settings: .env.example", "serve")
    serve_parser.add_argument("--webhook", action="store_true", help="take updates in where Telegram posts them")
    serve_parser.add_argument(
        "--listen",
        metavar="HOST:PORT",
        help=f"for /readyz and /metrics and, with --webhook, for updates (there it is {LISTEN} if not given)",
    )
    serve_parser.add_argument(
        "--workers", type=_count, default=1, metavar="N", help="processes; more than one needs PostgreSQL"
    )

    hooking = command("webhook", webhook, "tell Telegram where to post updates, once per deployment", "serve")
    hooking_verbs = hooking.add_subparsers(required=True, dest="verb", metavar="VERB")
    setting_hook = hooking_verbs.add_parser("set", help="have updates posted to an address; /telegram is added to it")
    setting_hook.add_argument("url", metavar="https://HOST")
    setting_hook.add_argument("--connections", type=_count, default=40, metavar="N", help="side by side, 1 to 100")
    for verb in (setting_hook, hooking_verbs.add_parser("delete", help="have them polled again"),
                 hooking_verbs.add_parser("info", help="how it goes")):  # fmt: skip
        verb.set_defaults(action="serve")
        verb.add_argument("--json", action="store_true")

    parking = command("parked", parked, "what was parked after it failed: list, retry, drop", "serve")
    parking_verbs = parking.add_subparsers(required=True, dest="verb", metavar="VERB")
    for name, text in (("list", "list it"), ("retry", "have it tried again"), ("drop", "give it up for good")):
        verb = parking_verbs.add_parser(name, help=text)
        if name != "list":
            verb.add_argument("name", metavar="update:N|message:N")
        verb.set_defaults(action="serve")
        verb.add_argument("--json", action="store_true")
        verb.add_argument("--data", **data)

    serving = command("console", console, "serve the web console on this machine; put it behind https", "serve")
    serving.add_argument("--port", type=int, default=8085)
    serving.add_argument("--data", **data)

    playing = command("walk", walk, "play a walk: sharewise walk --flow sharing emergency=no harm=no purpose=yes")
    playing.add_argument("--flow", help="sharing or board_request")
    playing.add_argument("--edition", default="hmg-2015")
    playing.add_argument("--json", action="store_true")
    playing.add_argument("answers", nargs="*", metavar="QUESTION=OPTION", help="or JSON on standard input; also: back")

    drawing = command("chart", draw, "draw a flowchart as .svg, .png or .mmd (Mermaid text)")
    drawing.add_argument("--flow", default="sharing")
    drawing.add_argument("--edition", default="hmg-2015")
    drawing.add_argument("--path", nargs="*", metavar="QUESTION=OPTION", help="the walk to light up")
    drawing.add_argument("-o", "--output", required=True, metavar="FILE")

    asking = command("ask", ask, 'ask the guidance: sharewise ask "do I need consent?"; nothing of it is kept')
    asking.add_argument("question", nargs="+", metavar="QUESTION")
    asking.add_argument("--edition", default="hmg-2015")
    asking.add_argument("--json", action="store_true")

    screening = command("screen", screen, "say what would identify a person in texts, one a line on standard input")
    screening.add_argument("--json", action="store_true")

    for name, run, action, text in (
        ("unanswered", unanswered, "read_unanswered", "list questions without an answer, without who asked"),
        ("records", records, "read_record", "list stored decision records, opened with the key"),
        ("verify", verify, "verify", "check the ledger and every record's seal; exit code 1 if something was changed"),
    ):
        reading = command(name, run, text, action)
        reading.add_argument("--data", **data)
        reading.add_argument("--json", action="store_true")
        if name == "verify":
            reading.add_argument(
                "--head", action="append", metavar="NUMBER:HASH", help="a ledger head kept outside; repeat"
            )
            reading.add_argument("--heads", metavar="FILE", help="signed heads kept outside (SHAREWISE_HEAD_FILE)")
            reading.add_argument(
                "--key", action="append", metavar="HEX", help="a public key that may have signed them; repeat"
            )
        if name == "records":
            reading.add_argument(
                "--member", type=int, metavar="N", help="of this Telegram id only: what is kept of one person"
            )

    heading = command("head", head, "print the ledger's head as a signed line, to be kept outside the store", "verify")
    heading.add_argument("--data", **data)

    keeping = command("retention", retention, "how long records are kept: set, list, due, hold, release, erase")
    keeping_verbs = keeping.add_subparsers(required=True, dest="verb", metavar="VERB")
    keeping_set = keeping_verbs.add_parser("set", help="set how long a class of records is kept")
    keeping_set.add_argument("record_class", metavar="CLASS")
    keeping_set.add_argument("--days", type=int, metavar="N", help="then it is due to be erased")
    keeping_set.add_argument("--review-days", type=int, metavar="N", help="kept for ever; looked at again after N days")
    holding = keeping_verbs.add_parser("hold", help="keep records from being erased")
    holding.add_argument("--reason", required=True)
    releasing = keeping_verbs.add_parser("release", help="release held records")
    erasing = keeping_verbs.add_parser("erase", help="erase records for good: their keys are destroyed")
    for verb in (holding, releasing, erasing):
        verb.add_argument("reference", nargs="+", metavar="SW-XXXX-XXXX")
    for verb in (keeping_set, holding, releasing, erasing, keeping_verbs.add_parser("list", help="what is set"),
                 keeping_verbs.add_parser("due", help="records whose time has come")):  # fmt: skip
        verb.set_defaults(action="keep_and_erase")
        verb.add_argument("--json", action="store_true")
        verb.add_argument("--data", **data)

    backing = command("backup", back_up, "write an encrypted copy of a store in use (SQLite)", "back_up")
    backing.add_argument("file", metavar="FILE")
    backing.add_argument("--data", **data)
    pausing = command(
        "pause", pause, "stop the bot with a reason that people are shown; emergencies still work", "pause"
    )
    pausing.add_argument("--reason", metavar="TEXT")
    pausing.add_argument("--end", dest="run_on", action="store_true", help="let it go on")
    pausing.add_argument("--data", **data)
    command("rotate", rotate, "bring everything under a new master key, while the bot serves with both", "back_up")
    restoring = command("restore", restore, "write a backup back into an empty folder", "back_up")
    restoring.add_argument("file", metavar="FILE")
    restoring.add_argument(
        "--into", required=True, metavar="DIR", help="the folder; its master.key is used if it is there"
    )
    restoring.add_argument("--erased", metavar="FILE", help="the list erased.jsonl of the store that was lost")
    restoring.add_argument(
        "--send-waiting", action="store_true", help="send the messages that waited at the time of the backup"
    )

    local_parser = command("local", local, "set or list the local route: numbers, form, procedures")
    local_verbs = local_parser.add_subparsers(required=True, dest="verb", metavar="VERB")
    setting = local_verbs.add_parser("set", help="set one thing; an empty value unsets it")
    setting.add_argument("name", metavar="NAME")
    setting.add_argument("value", metavar="VALUE")
    listing_local = local_verbs.add_parser("list", help="list what is set")
    listing_local.add_argument("--json", action="store_true")
    setting.set_defaults(action="set_local_route")
    for verb in (setting, listing_local):
        verb.add_argument("--data", **data)

    team_parser = command("team", team, "set or list teams: channel, number of opinions, deadline")
    team_verbs = team_parser.add_subparsers(required=True, dest="verb", metavar="VERB")
    team_setting = team_verbs.add_parser("set", help="set something of a team")
    team_setting.add_argument("name", metavar="TEAM")
    team_setting.add_argument("--quorum", type=int, metavar="N", help="opinions that close a request")
    team_setting.add_argument("--deadline", type=int, metavar="MINUTES", help="time for a request")
    team_setting.add_argument("--channel", metavar="CHAT_ID", help="the group that is the channel, or none")
    team_listing = team_verbs.add_parser("list", help="list teams")
    for verb, action in ((team_setting, "set_team"), (team_listing, "read_team")):
        verb.set_defaults(action=action)
        verb.add_argument("--json", action="store_true")
        verb.add_argument("--data", **data)

    members_parser = command("member", member, "add, end or list members")
    verbs = members_parser.add_subparsers(required=True, dest="verb", metavar="VERB")
    adding = verbs.add_parser("add", help="add a member, or give one another role or team")
    adding.add_argument("--telegram-id", type=_telegram_id, required=True, nargs="+", metavar="N")
    adding.add_argument("--role", choices=("practitioner", "supervisor", "administrator"), required=True)
    inviting = verbs.add_parser("invite", help="make an invite: a code for one person, once, for 48 hours")
    inviting.add_argument("--role", choices=("practitioner", "supervisor", "administrator"), required=True)
    for verb in (adding, inviting):
        verb.add_argument("--team", required=True)
        verb.add_argument("--known-as", metavar="NAME", help="how colleagues know the person")
    ending = verbs.add_parser("end", help="end a membership at once")
    ending.add_argument("--telegram-id", type=int, required=True)
    listing = verbs.add_parser("list", help="list members")
    listing.add_argument("--json", action="store_true")
    for verb, action in (
        (adding, "make_member"),
        (inviting, "make_member"),
        (ending, "end_member"),
        (listing, "list_members"),
    ):
        verb.set_defaults(action=action)
        verb.add_argument("--data", **data)
    return main_parser


def actions() -> list[str]:
    """Return the action of every verb, for the access table."""

    def of(one: argparse.ArgumentParser, inherited: str) -> list[str]:
        action = str(one.get_default("action") or inherited)
        parts = [part for part in one._actions if isinstance(part, argparse._SubParsersAction)]
        return [found for part in parts for below in part.choices.values() for found in of(below, action)] or [action]

    return of(parser(), "")


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    from bot.domain.access import operator_may

    args = parser().parse_args(argv)
    if not operator_may(args.action):
        sys.stderr.write("sharewise: the command line may not do this.\n")
        return WRONG_CALL
    return _carry_out(partial(args.run, args))


def _carry_out(run: Callable[[], int]) -> int:
    """Carry something out; return the exit code, and say what was wrong."""
    from bot.composition.settings import BadSettings
    from flows.catalogue import UnknownEdition
    from flows.definition import InvalidEdition
    from storage.core.faults import StorageRefused, StorageUnavailable
    from storage.core.sealing import BadKey, SealBroken

    try:
        code = int(run())
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        # Whoever read our output has had enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (WrongCall, UnknownEdition) as error:
        sys.stderr.write(f"sharewise: {error}\n")
        return WRONG_CALL
    except BadSettings as error:
        sys.stderr.write("sharewise: these settings are missing or wrong:\n")
        sys.stderr.writelines(f"  {problem}\n" for problem in error.problems)
        return WRONG_CALL
    except InvalidEdition as error:
        sys.stderr.write("sharewise: the edition has problems:\n")
        sys.stderr.writelines(f"  {problem}\n" for problem in error.problems)
    except (Failed, BadKey, SealBroken, StorageRefused, StorageUnavailable) as error:
        sys.stderr.write(f"sharewise: {error}\n")
    except Exception as error:
        from bot.composition.logs import where_of

        # Its own words, and what Python would print of it, may hold what people wrote, or a secret.
        sys.stderr.write(f"sharewise: it ended by a fault of its own ({where_of(error)}). Please report this.\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
