"""A session with an editor: the texts that are open, the checks that wait, and what the editor was told."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from lsprotocol import types as lsp
from pygls.lsp.server import LanguageServer

from policy_engine.lsp import protocol
from policy_engine.lsp.protocol import OUR_TESTS, Lines, OfPath, uri_of
from policy_engine.lsp.running import Run
from policy_engine.lsp.workspace import Folders, Project, Snapshot, Workspace
from policy_engine.source import Span
from policy_engine.version import VERSION

PAUSE = 0.2
"""Seconds without a change after which files are checked."""


def settle() -> None:
    """Let the garbage collector look through all that is kept now, and then leave it out.

    It would otherwise do so again and again, and some question would wait for it.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()


class Server(LanguageServer):
    """A server, with the texts that are open, the checks that wait, and the files about which something was said."""

    def __init__(self) -> None:
        super().__init__("policy", VERSION)
        self.work = Workspace()
        self.waiting: dict[Folders, asyncio.TimerHandle] = {}
        self.told: dict[Folders, set[str]] = {}
        self.runs: dict[Folders, tuple[int, Run]] = {}
        self.tasks: set[asyncio.Task[None]] = set()

    @property
    def encoding(self) -> str:
        """How columns are counted."""
        return lsp.PositionEncodingKind(self.workspace.position_codec.encoding or lsp.PositionEncodingKind.Utf16).value

    def lines(self, path: str | Path) -> Lines:
        """The lines of a file."""
        return Lines(self.work.text(Path(path)).split("\n"), self.encoding)

    def reader(self) -> OfPath:
        """Gives the lines of files, each read once."""
        return cache(self.lines)

    def snapshot(self, path: Path) -> Snapshot | None:
        """What is known now of the project of a file."""
        project = self.work.project_of(path)
        return None if project is None else self.work.look(project)

    def check_soon(self, project: Project) -> None:
        """Check a project when nothing has changed for a while."""
        waiting = self.waiting.pop(project.folders, None)
        if waiting is not None:
            waiting.cancel()
        self.waiting[project.folders] = asyncio.get_running_loop().call_later(PAUSE, self._start_check, project)

    def _start_check(self, project: Project) -> None:
        task = asyncio.get_running_loop().create_task(self._check(project))
        self.tasks.add(task)
        task.add_done_callback(self._checked)

    def _checked(self, task: asyncio.Task[None]) -> None:
        """A check ended; where it failed, that is a fault of ours, and nothing of the files is known."""
        self.tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            told = f"the files could not be checked ({type(error).__name__}: {error}); please report it"
            self.show(told, lsp.MessageType.Error)

    async def _check(self, project: Project) -> None:
        """Check in another thread, so that questions are answered meanwhile, and tell what was found unless it is old by then."""
        snapshot = await asyncio.to_thread(self._looked, project)
        if snapshot.change == project.change:
            self.tell(snapshot)
            settle()

    def _looked(self, project: Project) -> Snapshot:
        """What is known of a project now, ready for questions about the files that are open."""
        snapshot = self.work.look(project)
        snapshot.make_ready(list(self.work.texts))
        return snapshot

    def tell(self, snapshot: Snapshot) -> None:
        """Tell all faults of a project, and of files without one that there are none any more."""
        found: dict[str, list[lsp.Diagnostic]] = {}
        lines = self.reader()
        for each in snapshot.diagnostics:
            found.setdefault(each.span.path, []).append(protocol.diagnostic(each, lines))
        for span, message in self._failures(snapshot):
            place = lines(span.path).range(span)
            failure = lsp.Diagnostic(place, message, lsp.DiagnosticSeverity.Error, source=OUR_TESTS)
            found.setdefault(span.path, []).append(failure)
        before = self.told.get(snapshot.folders, set())
        self.told[snapshot.folders] = set(found)
        for path in sorted(before | set(found)):
            version = self._version(path)
            self.text_document_publish_diagnostics(
                lsp.PublishDiagnosticsParams(uri_of(path), found.get(path, []), version)
            )
        if snapshot.refused:
            self.show(snapshot.refused, lsp.MessageType.Error)

    def _failures(self, snapshot: Snapshot) -> Iterable[tuple[Span, str]]:
        """The cases that failed when they were last run, if nothing has changed since."""
        change, last = self.runs.get(snapshot.folders, (0, Run(())))
        for result in last.failed if change == snapshot.change else ():
            yield result.case.span, "\n".join(result.failures)

    def _version(self, path: str) -> int | None:
        document = self.workspace.text_documents.get(uri_of(path))
        return None if document is None else document.version

    def ran(self, snapshot: Snapshot, result: Run) -> None:
        """Tests were run: tell what came out."""
        self.runs[snapshot.folders] = snapshot.change, result
        self.show(result.summary, lsp.MessageType.Error if result.failed or result.refused else lsp.MessageType.Info)
        self.tell(snapshot)

    def show(self, message: str, kind: lsp.MessageType = lsp.MessageType.Info) -> None:
        """Show a message to the person."""
        self.window_show_message(lsp.ShowMessageParams(kind, message))

    def put(self, path: Path, text: str | None) -> None:
        """A text was opened or changed, or is None where it was closed: check what it belongs to."""
        project = self.work.put(path, text)
        if project is not None:
            self.check_soon(project)
