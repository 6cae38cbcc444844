"""A small client of yaml-language-server, over its protocol on standard input and output."""

from __future__ import annotations

import json
import os
import queue
import shutil
import subprocess
import threading
from collections.abc import Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import IO, Any

FOLDER = Path(__file__).parent
SERVER = FOLDER / "node_modules" / "yaml-language-server" / "bin" / "yaml-language-server"
SET_UP = "run `make editors` (or `npm ci --prefix tests/editors`) first"
PATIENCE = 60
SETTINGS = {"yaml": {"validate": True, "hover": True, "completion": True, "schemaStore": {"enable": False}}}
CAPABILITIES = {
    "workspace": {"configuration": True, "workspaceFolders": True},
    "textDocument": {
        "publishDiagnostics": {"versionSupport": True},
        "hover": {"contentFormat": ["markdown"]},
        "completion": {"completionItem": {"documentationFormat": ["markdown"]}},
    },
}


class NotSetUp(Exception):  # noqa: N818 - says what to do
    """Node.js or the language server is not there."""


def server_command() -> list[str]:
    """The command that starts the server; raises `NotSetUp` with the command that installs it."""
    node = shutil.which("node")
    if node is None:
        raise NotSetUp(f"the editor tests need Node.js 18 or later, and there is no `node`: install it, then {SET_UP}")
    if not SERVER.is_file():
        raise NotSetUp(f"the editor tests need yaml-language-server: {SET_UP}")
    return [node, str(SERVER), "--stdio"]


class LanguageServer:
    """A running server. Documents need not be on disk; one is opened once under each URI."""

    def __init__(self, root: Path, settings: Mapping[str, Any] = SETTINGS) -> None:
        self._settings = settings
        self._process = subprocess.Popen(server_command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._in, self._out = self._process.stdin, self._process.stdout
        self._ids = count(1)
        self._writing = threading.Lock()
        self._answers: dict[int, queue.Queue[Any]] = {}
        self._complaints: dict[str, queue.Queue[Any]] = {}
        threading.Thread(target=self._listen, daemon=True).start()
        folder = {"uri": root.as_uri(), "name": root.name}
        options = {"processId": os.getpid(), "rootUri": root.as_uri(), "workspaceFolders": [folder]}
        self._request("initialize", {**options, "capabilities": CAPABILITIES})
        self._notify("initialized", {})
        self._notify("workspace/didChangeConfiguration", {"settings": None})

    def __enter__(self) -> LanguageServer:
        return self

    def __exit__(self, *_: object) -> None:
        self._request("shutdown", None)
        self._notify("exit", None)
        self._process.wait(PATIENCE)
        self._in.close()
        self._out.close()

    def open(self, path: Path, text: str) -> None:
        """Show the server a document."""
        self._complaints[path.as_uri()] = queue.Queue()
        document = {"uri": path.as_uri(), "languageId": "yaml", "version": 1, "text": text}
        self._notify("textDocument/didOpen", {"textDocument": document})

    def complaints(self, path: Path) -> list[tuple[int, str]]:
        """What the server says against an open document: a line, counted from 1, and a message each."""
        found = self._complaints[path.as_uri()].get(timeout=PATIENCE)
        return sorted((item["range"]["start"]["line"] + 1, item["message"]) for item in found)

    def offers(self, path: Path, line: int, column: int) -> dict[str, str]:
        """What the server offers to write at a place (counted from 0), with what it says of each."""
        result = self._request("textDocument/completion", _place(path, line, column))
        return {item["label"]: _words(item.get("documentation")) for item in result["items"]}

    def hover(self, path: Path, line: int, column: int) -> str:
        """What the server says of a place (counted from 0)."""
        result = self._request("textDocument/hover", _place(path, line, column))
        return _words(result["contents"]) if result else ""

    def _request(self, method: str, params: Any) -> Any:
        number = next(self._ids)
        self._answers[number] = queue.Queue()
        self._send({"id": number, "method": method, "params": params})
        answer = self._answers[number].get(timeout=PATIENCE)
        assert "error" not in answer, answer["error"]
        return answer.get("result")

    def _notify(self, method: str, params: Any) -> None:
        self._send({"method": method, "params": params})

    def _send(self, message: Mapping[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        with self._writing:
            self._in.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
            self._in.flush()

    def _listen(self) -> None:
        while (message := _read(self._out)) is not None:
            match message:
                case {"id": number, "method": "workspace/configuration", "params": {"items": items}}:
                    self._send({"id": number, "result": [self._settings.get(item["section"]) for item in items]})
                case {"id": number, "method": _}:
                    self._send({"id": number, "result": None})
                case {"id": number}:
                    self._answers[number].put(message)
                case {"method": "textDocument/publishDiagnostics", "params": {"uri": uri, "diagnostics": found}}:
                    self._complaints[uri].put(found)


def _place(path: Path, line: int, column: int) -> dict[str, Any]:
    return {"textDocument": {"uri": path.as_uri()}, "position": {"line": line, "character": column}}


def _words(contents: str | Mapping[str, str] | Sequence[str] | None) -> str:
    match contents:
        case None:
            return ""
        case {"value": str(value)}:
            return value
        case _:
            return str(contents)


def _read(stream: IO[bytes]) -> Any:
    """The next message, None at the end."""
    length = None
    while line := stream.readline():
        if line == b"\r\n":
            return json.loads(stream.read(length or 0))
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    return None
