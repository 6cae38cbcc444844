"""Where a caret is in a file, what can be folded there, how columns are counted, and which files belong together."""

from __future__ import annotations

from pathlib import Path

import pytest

from policy_engine.documents.nodes import MappingNode, SequenceNode, YamlNode
from policy_engine.documents.yaml_reader import read_file
from policy_engine.frontend.loader import yaml_files
from policy_engine.lsp.outlines import Fold, folds, parts_of
from policy_engine.lsp.places import ITEM, Place, place_at
from policy_engine.lsp.positions import UTF_8, UTF_16, UTF_32, characters_before, units_before
from policy_engine.lsp.workspace import Folders, Workspace, folders_of
from policy_engine.source import Authored
from tests.conftest import ROOT
from tests.support.workspaces import marked, written

PLACES = (
    # what is written, the keys above the caret, what is written of the text, whether it is a value
    ("a: |", ("a",), "", True),
    ("a: b c|", ("a",), "b c", True),
    ("a:\n  b: |", ("a", "b"), "", True),
    ("a:\n  b: 1\n  |", ("a",), "", False),
    ("a:\n  b: 1\n|", (), "", False),
    ("a:\n  b: 1\n\n  # c\n  d|", ("a",), "d", False),
    ("a:\n  - b|", ("a", ITEM), "b", False),
    ("a:\n- b|", ("a", ITEM), "b", False),
    ("a:\n  - b: 1\n    c: |", ("a", ITEM, "c"), "", True),
    ("a:\n  - b: 1\n  - c: |", ("a", ITEM, "c"), "", True),
    ("a:\n  - b:\n      - c|", ("a", ITEM, "b", ITEM), "c", False),
    ("a:\n  - b:\n    - c: 1\n      d: |", ("a", ITEM, "b", ITEM, "d"), "", True),
    ("a: {b: |", ("a", "b"), "", True),
    ("a: {b: 1, |", ("a",), "", False),
    ("a: {b: 1, c: {d: [x, y|", ("a", "c", "d", ITEM), "y", True),
    ("a: {b: 1}|", None, "", False),
    ("a: {b: 1,\n    c: |", ("a", "c"), "", True),
    ("a: [x,\n    {y: 1, z|", ("a", ITEM), "z", False),
    ("a: 'b|", ("a",), "b", True),
    ("a: 'it''s |", ("a",), "it's ", True),
    ('a: "b, c: |', ("a",), "b, c: ", True),
    ("a: 'b'|", None, "", True),
    ("a: {b: 'c, d: |", ("a", "b"), "c, d: ", True),
    ("a: >\n  b\n  c|", ("a",), "\nb\nc", True),
    ("a: b\n  c|", ("a",), "b\nc", True),
    ("a: b  # |", None, "", True),
    ("# a: |", None, "", True),
    ('"a b": |', ("a b",), "", True),
    ("a: b: |", ("a",), "b: ", True),
)  # fmt: skip


@pytest.mark.parametrize(("text", "path", "told", "within"), PLACES)
def test_where_a_caret_is(text: str, path: tuple[str, ...] | None, told: str, within: bool) -> None:
    caret = marked(text)
    found = place_at(caret.text.split("\n"), caret.line, caret.column)
    assert (found is None) == (path is None)
    if found is not None:
        assert (found.path, found.text, found.within) == (path, told, within)


def test_what_stands_beside_a_key_and_before_an_item() -> None:
    lines = ["a:", "  - b: 1", "    ", "    c: {d: 2, e: 3, ", "  - f: 4"]
    above, flow = place_at(lines, 2, 4), place_at(lines, 3, 20)
    assert above is not None
    assert above.beside == {"b", "c"}
    assert flow is not None
    assert flow.beside == {"d", "e"}
    assert place_at(["a: [x, y, "], 0, 10) == Place(("a", ITEM), "", within=True, items=2)


def scalars(node: YamlNode, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Authored]]:
    """The texts of a document with the keys above them."""
    match node:
        case MappingNode(entries=entries):
            return [found for key, value in entries for found in scalars(value, (*path, key.value))]
        case SequenceNode(items=items):
            return [found for item in items for found in scalars(item, (*path, ITEM))]
    return [(path, node.text)]


@pytest.mark.parametrize("folder", ["rules", "examples/rules"])
def test_it_finds_what_the_reader_finds_in_all_shipped_files(folder: str) -> None:
    """For each text of each file: a caret behind its first character stands below the keys that the reader has there."""
    wrong = []
    for path in yaml_files([ROOT / folder]):
        text, node, _ = read_file(path)
        assert node is not None
        lines = text.split("\n")
        for keys, scalar in scalars(node):
            span = scalar.part(0, 1)
            place = place_at(lines, span.line - 1, span.column) if scalar.value else None
            if scalar.value and (place is None or (place.path, place.text.strip()[-1:]) != (keys, scalar.value[0])):
                wrong.append((str(span), keys, place))
    assert wrong == []


def test_what_can_be_folded() -> None:
    text = "# one\n# two\na:\n  - b: 1\n    c: 2\n\n  - d: 3\ne:\n- f\n- g\n"
    assert folds(text.split("\n")) == [Fold(0, 1, comment=True), Fold(2, 6), Fold(3, 4), Fold(7, 9)]


def test_the_parts_of_a_file() -> None:
    text = "a: 1\nb:\n  c:\n    rules:\n      - {id: d}\n      - id: e\n        when: f\n"
    a, b = parts_of(text, "x.yaml")
    assert (a.name, a.last_line, b.name, b.last_line) == ("a", 0, "b", 6)
    (rules,) = b.parts[0].parts
    assert [(part.name, part.span.line, part.last_line) for part in rules.parts] == [("d", 5, 4), ("e", 6, 6)]
    assert parts_of("a: [", "x.yaml") == ()


@pytest.mark.parametrize(
    ("encoding", "units"), [(UTF_8, [0, 1, 3, 7, 8]), (UTF_16, [0, 1, 2, 4, 5]), (UTF_32, [0, 1, 2, 3, 4])]
)
def test_how_columns_are_counted(encoding: str, units: list[int]) -> None:
    line = "aé😀b"
    assert [units_before(line, characters, encoding) for characters in range(5)] == units
    assert [characters_before(line, column, encoding) for column in units] == [0, 1, 2, 3, 4]
    assert (units_before(line, 9, encoding), characters_before(line, 99, encoding)) == (units[-1], 4)


def test_which_files_belong_together(tmp_path: Path) -> None:
    folder = written([("rules/a.yaml", ""), ("schemas/a.schema.json", ""), ("more/b.yaml", "")], tmp_path)
    project, more = Folders(folder / "rules", folder / "schemas"), Folders(folder / "more", folder / "schemas")
    assert folders_of(folder / "rules" / "a.yaml") == project
    assert folders_of(folder / "rules" / "deep" / "b_test.yaml") == project
    assert folders_of(folder / "rules" / "tables" / "vat.csv") == project
    assert folders_of(folder / "schemas" / "a.schema.json") == project
    assert folders_of(folder / "more" / "b.yaml", "# a\nruleset: b\n") == more
    assert folders_of(folder / "more" / "b.yaml", "on: push\n") is None
    assert folders_of(folder / "schemas" / "package.json") is None
    assert folders_of(folder / "README.md") is None
    assert folders_of(Path("/nowhere/rules/a.yaml")) is None


def test_a_change_while_files_are_read_is_not_lost(tmp_path: Path) -> None:
    folder = written([("rules/a.yaml", "ruleset: a\n"), ("schemas/a.schema.json", "{}")], tmp_path)
    path, workspace = folder / "rules" / "a.yaml", Workspace()
    project = workspace.put(path, "ruleset: a\n")
    assert project is not None
    before = workspace.look(project)
    assert workspace.look(project) is before
    workspace.put(path, "ruleset: b\n")
    after = workspace.look(project)
    assert after is not before
    assert after.files[str(path)].text == "ruleset: b\n"


def test_what_was_known_is_kept_while_a_file_cannot_be_read() -> None:
    path, workspace = ROOT / "examples" / "rules" / "shop.yaml", Workspace()
    project = workspace.put(path, path.read_text("utf-8"))
    assert project is not None
    workspace.look(project)
    workspace.put(path, "ruleset: [")
    broken = workspace.look(project)
    assert [each.code for each in broken.diagnostics if each.span.path == str(path)] != []
    context = broken.context(path)
    assert context is not None
    assert "return_window" in context.scope.parameters
    assert [ruleset.id for ruleset in broken.versions("shop")] == ["shop"]
