"""The language server over its protocol: an editor opens, changes, asks, and hears."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from policy_engine.cli.lsp import lsp as start
from policy_engine.errors import CannotRun
from policy_engine.lsp.session import PAUSE, Server
from policy_engine.lsp.workspace import Workspace
from tests.conftest import ROOT
from tests.support.editor import Editor, with_editor
from tests.support.workspaces import written

RULES = """\
ruleset: visits
title: Whether a visit is paid 😀
version: "1"
effective: {from: 2025-01-01}
timezone: UTC
facts: visit

sources:
  terms: {title: The terms}

definitions:
  is_cheap: price < 20 and town != "😀" and kind == "gift"

decisions:
  paid:
    question: Is it paid?
    source: terms
    outcomes: [in_full, in_part]
    rules:
      - id: cheap
        when: is_cheap
        then: in_full
        because: It is cheap.
    otherwise: {then: in_part, because: It is not.}
"""
TESTS = """\
tests: visits
cases:
  - name: a cheap gift
    as_of: 2025-01-05
    facts: {price: 3, town: Rome, kind: gift}
    expect: {paid: in_full}
  - name: a dear gift
    as_of: 2025-01-05
    facts: {price: 30, town: Rome, kind: gift}
    expect: {paid: in_part}
"""
SCHEMA = """\
{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "A visit", "type": "object", "additionalProperties": false, "required": ["price", "town", "kind"],
  "properties": {
    "price": {"type": "integer", "minimum": 0, "maximum": 999, "x-unit": "EUR", "description": "What it cost."},
    "town": {"type": "string"},
    "kind": {"type": "string", "enum": ["gift", "ware"]}
  }
}
"""
FILES = {"rules/visits.yaml": RULES, "rules/visits_test.yaml": TESTS, "schemas/visit.schema.json": SCHEMA}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a small project."""
    return written(FILES.items(), tmp_path)


def position(text: str, at: str) -> lsp.Position:
    """Where something stands in a text, as the protocol counts."""
    before = text[: text.index(at)]
    return lsp.Position(before.count("\n"), len(before.rpartition("\n")[2].encode("utf-16-le")) // 2)


def document(uri: str) -> lsp.TextDocumentIdentifier:
    """A file by its URI."""
    return lsp.TextDocumentIdentifier(uri)


def test_faults_are_told_while_somebody_types_and_taken_back(folder: Path) -> None:
    async def talk(editor: Editor) -> None:
        rules, tests = editor.open(folder / "rules" / "visits.yaml"), (folder / "rules" / "visits_test.yaml").as_uri()
        text = editor.write(rules, RULES, "gift", "g")
        await editor.until(lambda: bool(editor.messages_of(rules)))
        (fault,) = editor.said[rules]
        assert fault.message == "`ggift` is never a value of `kind`\ndid you mean `gift`?"
        assert (fault.code, fault.severity, fault.source) == (
            "impossible-value",
            lsp.DiagnosticSeverity.Error,
            "policy",
        )
        assert fault.range.start == position(text, '"ggift"')
        editor.change(rules, (lsp.Range(position(text, "ggift"), position(text, 'gift"')), ""))
        await editor.until(lambda: not editor.messages_of(rules))
        text = editor.write(rules, RULES, "  paid:", "  broken: [\n")
        await editor.until(lambda: bool(editor.messages_of(rules)))
        assert [each.code for each in editor.said[rules]] == ["yaml-colon"]
        assert not editor.messages_of(tests)
        place = position(text, "  broken")
        editor.change(rules, (lsp.Range(place, lsp.Position(place.line + 1, 0)), ""))
        await editor.until(lambda: not editor.messages_of(rules))
        editor.write(rules, RULES, "paid:", "un")
        await editor.until(lambda: bool(editor.messages_of(tests)))
        assert editor.messages_of(tests)[0].startswith("the ruleset has no decision `paid`")

    with_editor(folder, talk)


def test_faults_of_a_schema_are_told_in_the_schema_and_closing_takes_the_file_on_the_disk(folder: Path) -> None:
    async def talk(editor: Editor) -> None:
        rules = editor.open(folder / "rules" / "visits.yaml")
        schema = editor.open(folder / "schemas" / "visit.schema.json", SCHEMA.replace('"town"', '"toun"'))
        await editor.until(lambda: bool(editor.messages_of(rules)))
        assert "there is no fact, parameter, definition or reading `town`" in editor.messages_of(rules)[0]
        editor.client.text_document_did_close(lsp.DidCloseTextDocumentParams(document(schema)))
        await editor.until(lambda: not editor.messages_of(rules))

    with_editor(folder, talk)


def test_nothing_is_offered_behind_the_last_line(folder: Path) -> None:
    async def talk(editor: Editor) -> None:
        asked = lsp.CompletionParams(document(editor.open(folder / "rules" / "visits.yaml")), lsp.Position(9_999, 3))
        assert await editor.client.text_document_completion_async(asked) == lsp.CompletionList(False, ())

    with_editor(folder, talk)


def test_files_that_change_on_the_disk_are_read_again(folder: Path) -> None:
    async def talk(editor: Editor) -> None:
        rules = editor.open(folder / "rules" / "visits.yaml")
        await editor.until(lambda: lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES in editor.registered)
        schema = folder / "schemas" / "visit.schema.json"
        schema.write_text(SCHEMA.replace('"town"', '"toun"'), "utf-8")
        event = lsp.FileEvent(schema.as_uri(), lsp.FileChangeType.Changed)
        editor.client.workspace_did_change_watched_files(lsp.DidChangeWatchedFilesParams([event]))
        await editor.until(lambda: bool(editor.messages_of(rules)))

    watched = lsp.DidChangeWatchedFilesClientCapabilities(dynamic_registration=True)
    with_editor(folder, talk, workspace=lsp.WorkspaceClientCapabilities(did_change_watched_files=watched))


def test_files_that_are_no_rule_files_are_left_alone(folder: Path) -> None:
    async def talk(editor: Editor) -> None:
        workflow = editor.open(folder / "workflow.yaml", "on: push\njobs: [\n")
        rules = editor.open(folder / "elsewhere.yaml", RULES.replace("timezone: UTC", "timezone: Nowhere"))
        untitled = lsp.TextDocumentItem("untitled:Untitled-1", lsp.LanguageKind.Yaml, 1, "ruleset: a")
        editor.client.text_document_did_open(lsp.DidOpenTextDocumentParams(untitled))
        (folder / "elsewhere.yaml").write_text("ruleset: elsewhere\n", "utf-8")
        editor.write(rules, RULES.replace("timezone: UTC", "timezone: Nowhere"), "timezone", " ")
        await editor.until(lambda: bool(editor.messages_of(rules)))
        assert set(editor.said) == {rules}
        asked = lsp.HoverParams(document(workflow), lsp.Position(0, 1))
        assert await editor.client.text_document_hover_async(asked) is None
        format_ = lsp.DocumentFormattingParams(document(workflow), lsp.FormattingOptions(2, insert_spaces=True))
        with pytest.raises(JsonRpcException, match="this file is neither a rule file, nor a test, nor a schema"):
            await editor.client.text_document_formatting_async(format_)

    with_editor(folder, talk)


def test_columns_are_counted_in_units_of_utf_16(folder: Path) -> None:
    async def talk(editor: Editor) -> None:
        rules = editor.open(folder / "rules" / "visits.yaml")
        hovered = await editor.client.text_document_hover_async(
            lsp.HoverParams(document(rules), position(RULES, "ind == "))
        )
        assert hovered is not None
        assert hovered.range == lsp.Range(position(RULES, "kind == "), position(RULES, ' == "gift"'))
        text = editor.write(rules, RULES, "\n\ndecisions", ' or kind == "')
        offered = await editor.client.text_document_completion_async(
            lsp.CompletionParams(document(rules), position(text, "\n\ndecisions"))
        )
        assert isinstance(offered, lsp.CompletionList)
        assert [item.label for item in offered.items] == ["gift", "ware"]
        edit = offered.items[0].text_edit
        assert isinstance(edit, lsp.TextEdit)
        assert (edit.new_text, edit.range.start) == ('gift"', position(text, "\n\ndecisions"))

    with_editor(folder, talk)


SEPARATORS = "# a\u2028b\x0bc\x85d\r\n"
"""Signs that some programs take for the ends of lines; editors do not, but for the last."""


def test_lines_end_where_editors_end_them(folder: Path) -> None:
    async def talk(editor: Editor) -> None:
        windows = RULES.replace("\n", "\r\n")
        rules = editor.open(folder / "rules" / "visits.yaml", windows)
        place, end = lsp.Position(0, 0), lsp.Position(4, len("timezone: UTC"))
        editor.change(rules, (lsp.Range(place, place), SEPARATORS))
        await editor.until(lambda: bool(editor.messages_of(rules)))
        assert editor.messages_of(rules)[0].startswith("the character U+2028 is not allowed in a file")
        editor.change(rules, (lsp.Range(place, lsp.Position(1, 0)), ""), (lsp.Range(end, end), "\r\nlanguage: en"))
        await editor.until(lambda: not editor.messages_of(rules))
        options = lsp.FormattingOptions(2, insert_spaces=True)
        asked = lsp.DocumentFormattingParams(document(rules), options)
        assert not await editor.client.text_document_formatting_async(asked)

    with_editor(folder, talk)


def test_a_whole_text_may_take_the_place_of_another(folder: Path) -> None:
    async def talk(editor: Editor) -> None:
        rules = editor.open(folder / "rules" / "visits.yaml")
        whole = lsp.TextDocumentContentChangeWholeDocument(RULES.replace("timezone: UTC", "timezone: Nowhere"))
        at = lsp.VersionedTextDocumentIdentifier(2, rules)
        editor.client.text_document_did_change(lsp.DidChangeTextDocumentParams(at, [whole]))
        await editor.until(lambda: bool(editor.messages_of(rules)))
        assert [each.code for each in editor.said[rules]] == ["unknown-timezone"]

    with_editor(folder, talk)


def test_the_encoding_of_columns_is_agreed_upon(folder: Path) -> None:
    async def talk(editor: Editor) -> None:
        rules = editor.open(folder / "rules" / "visits.yaml")
        line = RULES.split("\n")[11]
        column = len(line[: line.index("kind")].encode())
        place = lsp.Position(11, column + 1)
        hovered = await editor.client.text_document_hover_async(lsp.HoverParams(document(rules), place))
        assert hovered is not None
        assert hovered.range is not None
        assert hovered.range.start.character == column

    encodings = [lsp.PositionEncodingKind.Utf8]
    with_editor(folder, talk, general=lsp.GeneralClientCapabilities(position_encodings=encodings))


def test_definition_references_and_renaming(folder: Path) -> None:
    async def talk(editor: Editor) -> None:
        rules = editor.open(folder / "rules" / "visits.yaml")
        at: Any = {"text_document": document(rules), "position": position(RULES, "price < 20")}
        defined = await editor.client.text_document_definition_async(lsp.DefinitionParams(**at))
        schema, tests = (
            (folder / "schemas" / "visit.schema.json").as_uri(),
            (folder / "rules" / "visits_test.yaml").as_uri(),
        )
        assert isinstance(defined, list | tuple)
        assert [(each.uri, each.range.start) for each in defined if isinstance(each, lsp.Location)] == [
            (schema, position(SCHEMA, 'price": {'))
        ]
        context = lsp.ReferenceContext(include_declaration=False)
        found = await editor.client.text_document_references_async(lsp.ReferenceParams(context=context, **at))
        assert found is not None
        assert sorted({each.uri for each in found}) == sorted({rules, tests, schema})
        asked = await editor.client.text_document_prepare_rename_async(lsp.PrepareRenameParams(**at))
        assert isinstance(asked, lsp.PrepareRenamePlaceholder)
        assert asked.placeholder == "price"
        edit = await editor.client.text_document_rename_async(lsp.RenameParams(new_name="cost", **at))
        assert edit is not None
        assert edit.changes is not None
        assert {uri: len(each) for uri, each in edit.changes.items()} == {rules: 1, tests: 2, schema: 2}
        with pytest.raises(JsonRpcException, match="there is already a fact `town`"):
            await editor.client.text_document_rename_async(lsp.RenameParams(new_name="town", **at))
        nowhere = lsp.PrepareRenameParams(document(rules), position(RULES, "Whether"))
        with pytest.raises(JsonRpcException, match="there is no name here that could be renamed"):
            await editor.client.text_document_prepare_rename_async(nowhere)

    with_editor(folder, talk)


def test_hints_that_are_exact_can_be_taken(folder: Path) -> None:
    async def talk(editor: Editor) -> None:
        rules = editor.open(folder / "rules" / "visits.yaml")
        text = editor.write(rules, RULES, "is_cheap\n        then", "is_chaep  # ")
        await editor.until(lambda: bool(editor.messages_of(rules)))
        (fault,) = editor.said[rules]
        asked = lsp.CodeActionParams(document(rules), fault.range, lsp.CodeActionContext([fault]))
        actions = await editor.client.text_document_code_action_async(asked)
        assert actions is not None
        (action,) = [each for each in actions if isinstance(each, lsp.CodeAction)]
        assert action.edit is not None
        assert action.edit.changes is not None
        (edit,) = action.edit.changes[rules]
        assert (action.title, edit.new_text) == ("write `is_cheap` in place of `is_chaep`", "is_cheap")
        assert edit.range.start == position(text, "is_chaep")

    with_editor(folder, talk)


def test_tests_are_run_from_the_file_and_failures_stand_at_their_cases(folder: Path) -> None:
    async def talk(editor: Editor) -> None:
        tests = editor.open(folder / "rules" / "visits_test.yaml", TESTS.replace("price: 3,", "price: 33,"))
        lenses = await editor.client.text_document_code_lens_async(lsp.CodeLensParams(document(tests)))
        assert lenses is not None
        titles = [(lens.range.start.line, lens.command.title) for lens in lenses if lens.command is not None]
        assert titles == [(0, "run these tests"), (2, "run this case"), (6, "run this case")]
        for lens, said in zip(lenses, ("1 passed, 1 failed", "0 passed, 1 failed", "1 passed, 0 failed"), strict=True):
            assert lens.command is not None
            asked = lsp.ExecuteCommandParams(lens.command.command, lens.command.arguments)
            editor.messages.clear()
            await editor.client.workspace_execute_command_async(asked)
            await editor.until(lambda: bool(editor.messages))
            assert editor.messages == [said]
            if said != "1 passed, 0 failed":
                await editor.until(lambda: bool(editor.messages_of(tests)))
                (failure,) = editor.said[tests]
                assert failure.message == "paid outcome is `in_part`, and the case expects `in_full`"
                assert (failure.source, failure.range.start) == ("policy test", lsp.Position(2, 10))
        rules = editor.open(folder / "rules" / "visits.yaml")
        (lens,) = await editor.client.text_document_code_lens_async(lsp.CodeLensParams(document(rules))) or []
        assert lens.command is not None
        assert lens.command.title == "run the tests of visits (2)"

    with_editor(folder, talk)


def test_outline_folding_and_layout(folder: Path) -> None:
    async def talk(editor: Editor) -> None:
        untidy = RULES.replace("title: Whe", "title:   Whe")
        rules = editor.open(folder / "rules" / "visits.yaml", untidy)
        parts: Any = await editor.client.text_document_document_symbol_async(lsp.DocumentSymbolParams(document(rules)))
        assert [part.name for part in parts] == [
            line.partition(":")[0] for line in RULES.split("\n") if line[:1].isalpha()
        ]
        (paid,) = parts[-1].children
        assert (paid.name, paid.range.start.line, paid.range.end.line) == ("paid", 14, 23)
        folds = await editor.client.text_document_folding_range_async(lsp.FoldingRangeParams(document(rules)))
        assert folds is not None
        assert (14, 23) in {(fold.start_line, fold.end_line) for fold in folds}
        options = lsp.FormattingOptions(2, insert_spaces=True)
        edits = await editor.client.text_document_formatting_async(
            lsp.DocumentFormattingParams(document(rules), options)
        )
        assert edits is not None
        assert [edit.new_text for edit in edits] == [RULES]
        editor.write(rules, untidy, "timezone", "broken: [")
        with pytest.raises(JsonRpcException, match="the file has faults: mend them first"):
            await editor.client.text_document_formatting_async(lsp.DocumentFormattingParams(document(rules), options))

    with_editor(folder, talk)


def test_a_folder_without_rules_is_no_reason_to_end(tmp_path: Path) -> None:
    async def talk(editor: Editor) -> None:
        (tmp_path / "schemas").mkdir()
        (tmp_path / "rules").mkdir()
        rules = editor.open(tmp_path / "rules" / "new.yaml", "ruleset: new\n")
        asked = lsp.CompletionParams(document(rules), lsp.Position(1, 0))
        offered = await editor.client.text_document_completion_async(asked)
        assert isinstance(offered, lsp.CompletionList)
        assert [item.label for item in offered.items][:3] == ["title", "version", "effective"]

    with_editor(tmp_path, talk)


def test_a_check_that_fails_is_told_and_not_passed_over(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []

    def fail(*_: object) -> None:
        raise ZeroDivisionError("planted")

    async def talk() -> None:
        server = Server()
        monkeypatch.setattr(server, "show", lambda message, kind: told.append(message))
        server.put(folder / "rules" / "visits.yaml", RULES)
        await asyncio.sleep(PAUSE)
        while server.tasks or not told:
            await asyncio.sleep(0.01)

    monkeypatch.setattr(Workspace, "look", fail)
    asyncio.run(talk())
    assert told == ["the files could not be checked (ZeroDivisionError: planted); please report it"]


def test_a_package_that_is_missing_is_told_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pygls.lsp.server", None)
    for name in [name for name in sys.modules if name.startswith("policy_engine.lsp.s")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(
        CannotRun, match=r'`policy lsp` needs the package `pygls\S*`: pip install "policy_engine\[lsp\]"'
    ):
        start()


def test_a_person_who_starts_it_is_told_what_it_is_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    with pytest.raises(CannotRun, match="an editor starts this and talks with it"):
        start()


def test_the_command_line_does_without_the_protocol() -> None:
    """The other commands start without the libraries of the server."""
    code = (
        "import sys, policy_engine.cli.main; print([n for n in sys.modules if n in ('pygls', 'lsprotocol', 'asyncio')])"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "pygls" not in ran.stdout
    assert "lsprotocol" not in ran.stdout
