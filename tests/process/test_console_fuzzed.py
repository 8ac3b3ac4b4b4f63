"""The console in its own process, fuzzed by schemathesis with valid and invalid requests."""

from __future__ import annotations

import http.client
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bot.console import app, security
from bot.console.pages import queue, record
from tests.support.counts import COUNTS
from tests.support.servers import free_port

WALK = "No\nNo\nMy own wish to share\nNo\nNext\nDo not share\nIt is not needed\nCASE-1\nLeave out the rest\nSave the record\n"
#: How many valid requests each page gets, and how many invalid ones.
EXAMPLES = int(os.environ.get("CONSOLE_EXAMPLES", "60"))


@pytest.fixture
def served(tmp_path):
    """A local store with records, and the real `sharewise console` over it; gives (port, session cookie, references)."""
    data = tmp_path / "data"
    chat = (sys.executable, "-m", "bot", "chat", "--data", str(data))
    subprocess.run(chat, input=WALK, text=True, check=True, capture_output=True, timeout=60)
    listed = subprocess.run(
        (sys.executable, "-m", "bot", "records", "--data", str(data), "--json"),
        text=True,
        check=True,
        capture_output=True,
    )
    references = [json.loads(line)["reference"] for line in listed.stdout.splitlines()]
    port = free_port()
    process = subprocess.Popen(
        (sys.executable, "-m", "bot", "console", "--data", str(data), "--port", str(port)),
        stdout=subprocess.PIPE, stderr=(tmp_path / "log").open("w"), text=True,
    )  # fmt: skip
    try:
        lines = [process.stdout.readline() for _ in range(2)]
        link = re.search(r"(/in/\S+)", "".join(lines))[1]
        yield port, sign_in(port, link), references
    finally:
        process.terminate()
        process.wait(20)
        assert "failed" not in (tmp_path / "log").read_text(), "no page failed"


def sign_in(port, link):
    for _ in range(100):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("POST", link, headers={"content-length": "0"})
            return connection.getresponse().getheader("set-cookie").split(";")[0]
        except ConnectionRefusedError:
            time.sleep(0.1)
    raise AssertionError("the console did not start")


def described(port, cookie, references):
    """Describe the console's pages as OpenAPI, with the headers that every answer must have."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("GET", "/", headers={"cookie": cookie})
    page = connection.getresponse().read().decode()
    token = re.search(r'name="form_token" value="(\w+)"', page)[1]
    text, headers = {"type": "string", "maxLength": 200}, {}
    for name, value in security.HEADERS.items():
        allowed = [value.decode(), *([security.WITH_SCRIPT] if name == b"content-security-policy" else [])]
        headers[name.decode()] = {"required": True, "schema": {"type": "string", "enum": allowed}}
    answers = {
        str(code): {"description": "", "headers": headers} for code in (200, 303, 400, 401, 403, 404, 405, 411, 413)
    }
    known = {
        "reference": {"anyOf": [{"enum": references}, text]}, "number": {"anyOf": [{"type": "integer"}, text]},
        "kind": {"anyOf": [{"enum": ["csv", "xlsx"]}, text]}, "code": text,
        "flow": {"anyOf": [{"enum": ["sharing", "board_request"]}, text]},
        "what": {"anyOf": [{"enum": [*(act for act, _, _ in record.ACTS), "hold", "release"]}, text]},
    }  # fmt: skip
    form = {"form_token": {"enum": [token]}, "words": text, "value": {"anyOf": [{"enum": ["pdf", "json", "2"]}, text]}}
    form |= dict.fromkeys(queue.FILTERS, text)
    paths: dict[str, dict[str, object]] = {}
    pages = [(path, method) for path, method, _page, _action in app.PAGES if path != "/out"]
    for path, method in [*pages, ("/in/{code}", "GET"), ("/in/{code}", "POST"), ("/app", "GET"), ("/app", "POST"), ("/readyz", "GET"),
                         ("/metrics", "GET"), ("/livez", "GET"), ("/static/console.css", "GET")]:  # fmt: skip
        asked = [
            {"name": name, "in": "path", "required": True, "schema": known[name]}
            for name in re.findall(r"{(\w+)}", path)
        ]
        if path == "/":
            asked += [{"name": name, "in": "query", "schema": text} for name in (*queue.FILTERS, "after")]
        operation = {"parameters": asked, "responses": answers}
        if method == "POST":
            body = {"type": "object", "properties": {**form, "init_data": text}, "required": ["form_token"]}
            operation["requestBody"] = {"content": {"application/x-www-form-urlencoded": {"schema": body}}}
        paths.setdefault(path, {})[method.lower()] = operation
    return {"openapi": "3.0.3", "info": {"title": "console", "version": "1"}, "paths": paths}


def test_no_page_fails_and_every_answer_has_the_strict_headers(served, tmp_path):
    port, cookie, references = served
    schema = tmp_path / "openapi.json"
    schema.write_text(json.dumps(described(port, cookie, references)))
    run = subprocess.run(
        (
            sys.executable, "-m", "schemathesis.cli", "run", str(schema), "--url", f"http://127.0.0.1:{port}",
            "--header", f"Cookie: {cookie}", "--checks",
            "not_a_server_error,status_code_conformance,response_headers_conformance",
            "--max-examples", str(EXAMPLES), "--phases", "examples,coverage,fuzzing", "--mode", "all", "--seed", "5",
            "--generation-database", "none", "--no-color",
        ),
        capture_output=True, text=True, timeout=400, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    )  # fmt: skip
    found = re.search(r"Test cases:\s+(\d+) generated", run.stdout)
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-2000:]
    COUNTS["requests of schemathesis to the console, no server error, headers complete"] += int(found[1])
