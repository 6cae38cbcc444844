"""The server that editors start: it hears what they ask, and answers by the functions beside it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from policy_engine.errors import CannotRun, RulesetError
from policy_engine.frontend.formatting import format_text
from policy_engine.lsp import index, protocol
from policy_engine.lsp.completion import offers_at
from policy_engine.lsp.hover import hover_at
from policy_engine.lsp.outlines import folds, parts_of
from policy_engine.lsp.protocol import RUN, path_of
from policy_engine.lsp.renaming import rename, renamed_at
from policy_engine.lsp.running import Lens, lenses, run
from policy_engine.lsp.session import Server
from policy_engine.lsp.workspace import Project, Snapshot
from policy_engine.source import Span

REQUEST_FAILED = -32803
WATCHED = "**/*.{yaml,yml,json,csv}"
Answer = TypeVar("Answer")

server = Server()


@server.feature(lsp.INITIALIZED)
def initialized(ls: Server, _: lsp.InitializedParams) -> None:
    """Ask to be told of files that change on the disk."""
    workspace = ls.client_capabilities.workspace
    watched = workspace.did_change_watched_files if workspace is not None else None
    if watched is not None and watched.dynamic_registration:
        options = lsp.DidChangeWatchedFilesRegistrationOptions([lsp.FileSystemWatcher(WATCHED)])
        asked = lsp.Registration("files", lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES, options)
        ls.client_register_capability(lsp.RegistrationParams([asked]))


@server.feature(lsp.TEXT_DOCUMENT_DID_OPEN)
def did_open(ls: Server, asked: lsp.DidOpenTextDocumentParams) -> None:
    """A file was opened."""
    path = path_of(asked.text_document.uri)
    if path is not None:
        ls.put(path, asked.text_document.text)


@server.feature(lsp.TEXT_DOCUMENT_DID_CHANGE)
def did_change(ls: Server, asked: lsp.DidChangeTextDocumentParams) -> None:
    """A text changed."""
    path = path_of(asked.text_document.uri)
    if path is not None:
        text = ls.work.text(path)
        for change in asked.content_changes:
            text = protocol.changed(text, change, ls.encoding)
        ls.put(path, text)


@server.feature(lsp.TEXT_DOCUMENT_DID_CLOSE)
def did_close(ls: Server, asked: lsp.DidCloseTextDocumentParams) -> None:
    """A file was closed, so that what is on the disk counts."""
    path = path_of(asked.text_document.uri)
    if path is not None:
        ls.put(path, None)


@server.feature(lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES)
def did_change_files(ls: Server, asked: lsp.DidChangeWatchedFilesParams) -> None:
    """Files changed on the disk; those that are open count as they are in the editor."""
    paths = [path for change in asked.changes if (path := path_of(change.uri)) is not None]
    for project in ls.work.changed_on_disk(paths):
        ls.check_soon(project)


@server.feature(lsp.TEXT_DOCUMENT_COMPLETION, lsp.CompletionOptions(trigger_characters=[".", '"', "'", " ", "{", "["]))
def complete(ls: Server, asked: lsp.CompletionParams) -> lsp.CompletionList:
    """What may stand at a caret, by what was known when files were last checked."""
    path = path_of(asked.text_document.uri)
    project = ls.work.project_of(path) if path is not None else None
    if path is None or project is None:
        return lsp.CompletionList(False, [])
    snapshot = project.last or ls.work.look(project)
    lines = ls.lines(path)
    offers = offers_at(snapshot, path, lines.lines, *lines.caret(asked.position))
    return protocol.completion_list(offers, asked.position, lines)


@server.feature(lsp.TEXT_DOCUMENT_HOVER)
def hover(ls: Server, asked: lsp.HoverParams) -> lsp.Hover | None:
    """What is said of the name at a caret."""
    path = path_of(asked.text_document.uri)
    snapshot = ls.snapshot(path) if path is not None else None
    if path is None or snapshot is None:
        return None
    lines = ls.lines(path)
    found = hover_at(snapshot, path, lines.lines, *lines.caret(asked.position))
    return None if found is None else protocol.hover(found, lines)


@server.feature(lsp.TEXT_DOCUMENT_DEFINITION)
def definition(ls: Server, asked: lsp.DefinitionParams) -> list[lsp.Location]:
    """Where the name at a caret gets its meaning."""
    lines = ls.reader()
    return [protocol.location(span, lines) for span, defines in _places(ls, asked) if defines]


@server.feature(lsp.TEXT_DOCUMENT_REFERENCES)
def references(ls: Server, asked: lsp.ReferenceParams) -> list[lsp.Location]:
    """Where the name at a caret stands."""
    wanted, lines = asked.context.include_declaration, ls.reader()
    return [protocol.location(span, lines) for span, defines in _places(ls, asked) if wanted or not defines]


def _places(ls: Server, asked: lsp.DefinitionParams | lsp.ReferenceParams) -> list[tuple[Span, bool]]:
    """Every place where the name at a caret stands, and whether it gets its meaning there."""
    path = path_of(asked.text_document.uri)
    snapshot = ls.snapshot(path) if path is not None else None
    if path is None or snapshot is None:
        return []
    line, column = ls.lines(path).caret(asked.position)
    found = index.at(snapshot, path, line + 1, column + 1)
    places = index.places_of(snapshot, found.symbol) if found is not None else []
    return [(place.span, place.defines) for place in places]


@server.feature(lsp.TEXT_DOCUMENT_PREPARE_RENAME)
def prepare_rename(ls: Server, asked: lsp.PrepareRenameParams) -> lsp.PrepareRenamePlaceholder:
    """The name at a caret, if it can be renamed."""
    path, _, snapshot = _project(ls, asked.text_document.uri)
    lines = ls.lines(path)
    line, column = lines.caret(asked.position)
    found = _or_failed(lambda: renamed_at(snapshot, path, line + 1, column + 1))
    return lsp.PrepareRenamePlaceholder(lines.range(found.span), found.symbol.word)


@server.feature(lsp.TEXT_DOCUMENT_RENAME, lsp.RenameOptions(prepare_provider=True))
def renamed(ls: Server, asked: lsp.RenameParams) -> lsp.WorkspaceEdit:
    """The edits that rename what is at a caret, in all files."""
    path, project, snapshot = _project(ls, asked.text_document.uri)
    line, column = ls.lines(path).caret(asked.position)

    def edits() -> list[Any]:
        return rename(ls.work, project, renamed_at(snapshot, path, line + 1, column + 1), asked.new_name)

    return protocol.workspace_edit(_or_failed(edits), ls.reader())


@server.feature(lsp.TEXT_DOCUMENT_CODE_ACTION, lsp.CodeActionOptions(code_action_kinds=[lsp.CodeActionKind.QuickFix]))
def code_actions(ls: Server, asked: lsp.CodeActionParams) -> list[lsp.CodeAction]:
    """What would mend the faults on some lines."""
    path = path_of(asked.text_document.uri)
    snapshot = ls.snapshot(path) if path is not None else None
    first, last = asked.range.start.line + 1, asked.range.end.line + 1
    found = [each for each in snapshot.diagnostics if each.span.path == str(path)] if snapshot is not None else []
    lines = ls.reader()
    return [
        protocol.code_action(each.fix, protocol.diagnostic(each, lines), lines)
        for each in found
        if each.fix is not None and first <= each.span.line <= last
    ]


@server.feature(lsp.TEXT_DOCUMENT_FORMATTING)
def formatting(ls: Server, asked: lsp.DocumentFormattingParams) -> list[lsp.TextEdit]:
    """The layout of `policy fmt`; nothing where a file has none."""
    path, _, _ = _project(ls, asked.text_document.uri)
    lines, text = ls.lines(path), ls.work.text(path)
    laid_out = _or_failed(lambda: format_text(text, str(path)))
    return [] if laid_out == text else [lsp.TextEdit(lines.whole(), laid_out)]


@server.feature(lsp.TEXT_DOCUMENT_CODE_LENS)
def code_lenses(ls: Server, asked: lsp.CodeLensParams) -> list[lsp.CodeLens]:
    """What can be run from the lines of a file."""
    path = path_of(asked.text_document.uri)
    snapshot = ls.snapshot(path) if path is not None else None
    return [] if snapshot is None or path is None else [protocol.code_lens(lens) for lens in lenses(snapshot, path)]


@server.command(RUN)
async def run_tests(ls: Server, asked: dict[str, str | None]) -> None:
    """Run tests, and tell what came out: in a message, and at each case that failed."""
    lens = Lens(0, "", asked.get("file"), asked.get("case"), asked.get("table"), asked.get("ruleset"))
    for project in list(ls.work.projects.values()):
        snapshot = await asyncio.to_thread(ls.work.look, project)
        if _is_of(lens, snapshot):
            ls.ran(snapshot, await asyncio.to_thread(run, snapshot, lens))


def _is_of(lens: Lens, snapshot: Snapshot) -> bool:
    """Whether what a lens runs belongs to a project."""
    return lens.file in snapshot.tests or any(test.ruleset == lens.ruleset for test in snapshot.tests.values())


@server.feature(lsp.TEXT_DOCUMENT_FOLDING_RANGE)
def folding(ls: Server, asked: lsp.FoldingRangeParams) -> list[lsp.FoldingRange]:
    """What can be folded."""
    path = path_of(asked.text_document.uri)
    return [] if path is None else [protocol.folding_range(fold) for fold in folds(ls.lines(path).lines)]


@server.feature(lsp.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
def document_symbols(ls: Server, asked: lsp.DocumentSymbolParams) -> list[lsp.DocumentSymbol]:
    """The parts of a rule or test file that have a name."""
    path = path_of(asked.text_document.uri)
    if path is None or ls.work.project_of(path) is None or path.suffix not in (".yaml", ".yml"):
        return []
    lines = ls.lines(path)
    return [protocol.document_symbol(part, lines) for part in parts_of(ls.work.text(path), str(path))]


def _project(ls: Server, uri: str) -> tuple[Path, Project, Snapshot]:
    """The project of a file, and what is known of it; the request fails where the file belongs to none."""
    path = path_of(uri)
    project = ls.work.project_of(path) if path is not None else None
    if path is None or project is None:
        raise JsonRpcException("this file is neither a rule file, nor a test, nor a schema", REQUEST_FAILED)
    return path, project, ls.work.look(project)


def _or_failed(answer: Callable[[], Answer]) -> Answer:
    """An answer; where it is refused the request fails, with the reason as its message."""
    try:
        return answer()
    except RulesetError as error:
        raise JsonRpcException("the file has faults: mend them first", REQUEST_FAILED) from error
    except CannotRun as error:
        raise JsonRpcException(str(error), REQUEST_FAILED) from error
