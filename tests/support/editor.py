"""An editor: the client of pygls, which starts `policy lsp` and talks with it over standard input and output."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from lsprotocol import types as lsp
from pygls.lsp.client import LanguageClient

from tests.conftest import ROOT

PATIENCE = 30
"""Seconds after which a server that says nothing is taken to say nothing any more."""
Result = TypeVar("Result")


class Editor:
    """A running server, what it said, and the texts that are open."""

    def __init__(self, client: LanguageClient) -> None:
        self.client = client
        self.said: dict[str, list[lsp.Diagnostic]] = {}
        self.messages: list[str] = []
        self.registered: list[str] = []
        self.versions: dict[str, int] = {}
        self._news = asyncio.Event()

    def hear(self) -> None:
        """Listen to what the server says by itself; pygls marks what it is given, which a method does not allow."""
        self.client.feature(lsp.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)(partial(self._said))
        self.client.feature(lsp.WINDOW_SHOW_MESSAGE)(partial(self._shown))
        self.client.feature(lsp.CLIENT_REGISTER_CAPABILITY)(partial(self._registered))

    def _said(self, asked: lsp.PublishDiagnosticsParams) -> None:
        self.said[asked.uri] = list(asked.diagnostics)
        self._news.set()

    def _shown(self, asked: lsp.ShowMessageParams) -> None:
        self.messages.append(asked.message)
        self._news.set()

    def _registered(self, asked: lsp.RegistrationParams) -> None:
        self.registered += [each.method for each in asked.registrations]
        self._news.set()

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait until what the server said makes something true."""
        async with asyncio.timeout(PATIENCE):
            while not true():
                self._news.clear()
                await self._news.wait()

    def open(self, path: Path, text: str | None = None) -> str:
        """Open a file, perhaps with another text than it has; its URI."""
        uri, content = path.as_uri(), path.read_text("utf-8") if text is None else text
        self.versions[uri] = 1
        item = lsp.TextDocumentItem(uri, lsp.LanguageKind.Yaml, 1, content)
        self.client.text_document_did_open(lsp.DidOpenTextDocumentParams(item))
        return uri

    def change(self, uri: str, *parts: tuple[lsp.Range, str]) -> None:
        """Change parts of a text, one after another."""
        self.versions[uri] += 1
        changes = [lsp.TextDocumentContentChangePartial(range=place, text=text) for place, text in parts]
        document = lsp.VersionedTextDocumentIdentifier(self.versions[uri], uri)
        self.client.text_document_did_change(lsp.DidChangeTextDocumentParams(document, changes))

    def write(self, uri: str, text: str, at: str, written: str) -> str:
        """Write something before the first place of a text that reads like this; the text afterwards."""
        before = text[: text.index(at)]
        line = before.rpartition("\n")[2]
        place = lsp.Position(before.count("\n"), len(line.encode("utf-16-le")) // 2)
        self.change(uri, (lsp.Range(place, place), written))
        return before + written + text[len(before) :]

    def messages_of(self, uri: str) -> list[str]:
        """What was last said about a file."""
        return [each.message for each in self.said.get(uri, [])]


@asynccontextmanager
async def editor(root: Path, **capabilities: Any) -> AsyncIterator[Editor]:
    """An editor in a folder."""
    client = LanguageClient("an editor", "1")
    one = Editor(client)
    one.hear()
    await client.start_io(sys.executable, "-m", "policy_engine", "lsp", cwd=root, env={"PYTHONPATH": str(ROOT)})
    asked = lsp.InitializeParams(capabilities=lsp.ClientCapabilities(**capabilities), root_uri=root.as_uri())
    await client.initialize_async(asked)
    client.initialized(lsp.InitializedParams())
    try:
        yield one
    finally:
        async with asyncio.timeout(PATIENCE):
            await client.shutdown_async(None)
            client.exit(None)
            await client.stop()  # type: ignore[no-untyped-call]  # pygls gives it no types


def with_editor(root: Path, talk: Callable[[Editor], Coroutine[Any, Any, Result]], **capabilities: Any) -> Result:
    """What a talk between an editor in a folder and the server comes to."""

    async def whole() -> Result:
        async with editor(root, **capabilities) as one:
            return await talk(one)

    return asyncio.run(whole())
