"""What an editor says of rule and test files: the schemas it is given, and yaml-language-server driven over its protocol."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from policy_engine.documents.nodes import plain
from policy_engine.documents.yaml_reader import read_text
from policy_engine.frontend import shapes
from policy_engine.frontend.editor_schemas import FILES, editor_schemas, stale_schemas
from policy_engine.frontend.shapes import Form, OneOf, Shape
from policy_engine.language.decisions import Status
from policy_engine.language.rulesets import HitPolicy
from tests.conftest import ROOT, lay_out, read_data, said
from tests.editors.language_server import SETTINGS, LanguageServer, NotSetUp

FOLDER = Path(__file__).parent / "editors"
SHAPES: Mapping[str, Shape] = {name: shape for name, shape in vars(shapes).items() if isinstance(shape, Shape)}
SHIPPED = sorted((ROOT / "rules").glob("*.yaml"))
HERE = "<here>"
MODELINE = re.compile(r"# yaml-language-server: \$schema=\.\./schemas/(\S+)\n")


def text_of(document: Any, item: Any) -> str:
    """The whole text of an item of a data file, which may stand behind one of two heads."""
    match item:
        case {"rules": text}:
            return f"{document['head']}{text}"
        case {"tests": text}:
            return f"{document['tests_head']}{text}"
        case _:
            return str(item["text"])


@dataclass(frozen=True)
class Broken:
    """A file with a mistake: the line where an editor must complain, what it says, in part, and the engine's own line."""

    name: str
    text: str
    line: int
    says: str
    engine_line: int
    is_test: bool

    def __str__(self) -> str:
        return self.name

    @property
    def path(self) -> Path:
        """Where the file would stand; it is not there."""
        return ROOT / "rules" / f"{self.name.replace(' ', '-')}{'_test' * self.is_test}.yaml"


@dataclass(frozen=True)
class Place:
    """A place in a text, counted from 0, with what is expected there."""

    number: int
    text: str
    expected: Mapping[str, Any]

    def __str__(self) -> str:
        words = [self.expected.get("shape"), self.expected.get("key"), *self.expected.get("words", ())]
        return f"{self.number} {' '.join(word for word in words if word)}"

    @property
    def path(self) -> Path:
        """Where the file would stand; it is not there."""
        return ROOT / "rules" / f"place-{self.number}.yaml"

    @property
    def line(self) -> int:
        """The line of the place."""
        return self.text[: self.text.index(HERE)].count("\n")

    @property
    def column(self) -> int:
        """The column of the place."""
        return len(self.text[: self.text.index(HERE)].rsplit("\n", 1)[-1])


def load_broken() -> Iterator[Broken]:
    document = read_data(FOLDER / "broken.yaml")
    for case in document["cases"]:
        line = case["line"]
        engine_line = case.get("engine_line", line)
        yield Broken(case["name"], text_of(document, case), line, case["says"], engine_line, "tests" in case)


def load_places(kind: str) -> Iterator[Place]:
    document = read_data(FOLDER / "places.yaml")
    for number, item in enumerate(document[kind]):
        yield Place(number if kind == "offers" else 100 + number, text_of(document, item), item)


GOOD: Mapping[str, str] = read_data(FOLDER / "good.yaml")["files"]
BROKEN = list(load_broken())
OFFERS, EXPLAINS = list(load_places("offers")), list(load_places("explains"))


# The schemas.


@cache
def validator(name: str) -> Draft202012Validator:
    schema = json.loads(editor_schemas()[name])
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def violations(text: str, *, is_test: bool) -> list[str]:
    node, faults = read_text(text, "file")
    assert node is not None, faults
    document = json.loads(json.dumps(plain(node), default=float))
    rules = "ruleset_library.schema.json" if "library" in document else "ruleset.schema.json"
    schema = validator("ruleset_test.schema.json" if is_test else rules)
    return [error.message for error in schema.iter_errors(document)]


def test_the_schemas_are_current() -> None:
    assert stale_schemas(ROOT / "schemas") == [], "run `policy schemas`"


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_the_schemas_accept_what_is_shipped(path: Path) -> None:
    assert violations(path.read_text("utf-8"), is_test=path.stem.endswith("_test")) == []


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_a_shipped_file_names_its_schema(path: Path) -> None:
    found = MODELINE.match(path.read_text("utf-8"))
    assert found is not None
    assert found[1] == ("ruleset_test.schema.json" if path.stem.endswith("_test") else "ruleset.schema.json")


@pytest.mark.parametrize("broken", BROKEN, ids=str)
def test_the_schemas_refuse_what_is_broken(broken: Broken) -> None:
    assert violations(broken.text, is_test=broken.is_test) != []


@pytest.mark.parametrize("broken", BROKEN, ids=str)
def test_the_engine_refuses_what_editors_do(broken: Broken, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"rules/{'case_test' if broken.is_test else 'case'}.yaml"
    lay_out({**GOOD, name: broken.text}, tmp_path)
    monkeypatch.chdir(tmp_path)
    assert f"{name}:{broken.engine_line}:" in said()


def test_what_the_engine_accepts_is_accepted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lay_out(GOOD, tmp_path)
    monkeypatch.chdir(tmp_path)
    assert said() == ""
    assert violations(GOOD["rules/case.yaml"], is_test=False) == []
    assert violations(GOOD["rules/shared.yaml"], is_test=False) == []
    assert violations(GOOD["rules/case_test.yaml"], is_test=True) == []


def forms(form: Form) -> Iterator[Form]:
    """A form and all forms in it."""
    yield form
    match form:
        case Shape():
            parts: tuple[Form, ...] = tuple(key.form for key in form.keys)
        case shapes.SequenceOf(items=items):
            parts = (items,)
        case shapes.MapOf(values=values):
            parts = (values,)
        case shapes.Either(forms=several):
            parts = several
        case shapes.Kind.CONDITION:
            yield shapes.GROUP
            return
        case _:
            return
    for part in parts:
        yield from forms(part)


def test_every_shape_stands_in_a_file() -> None:
    reached = {form for shape in FILES.values() for form in forms(shape)}
    assert {name for name, shape in SHAPES.items() if shape not in reached} == set()


def test_the_words_to_choose_from_are_those_of_the_engine() -> None:
    words = {key.name: key.form.words for shape in SHAPES.values() for key in shape.keys if isinstance(key.form, OneOf)}
    assert words["hit"] == tuple(HitPolicy)
    assert words["status"] == tuple(Status)


# The editor.


def started(settings: Mapping[str, Any] = SETTINGS) -> LanguageServer:
    """A running server. Without Node.js its tests are skipped, but in CI they fail."""
    try:
        return LanguageServer(ROOT, settings)
    except NotSetUp as missing:
        if shutil.which("npm") or shutil.which("node") or os.environ.get("CI"):
            pytest.fail(str(missing))
        pytest.skip(str(missing))


@pytest.fixture(scope="module")
def server() -> Iterator[LanguageServer]:
    """A language server that has been shown every file at once, so that it works while tests wait."""
    with started() as running:
        for path in SHIPPED:
            running.open(path, path.read_text("utf-8"))
        for broken in BROKEN:
            running.open(broken.path, broken.text)
        for place in (*OFFERS, *EXPLAINS):
            running.open(place.path, place.text.replace(HERE, ""))
        yield running


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_the_editor_accepts_what_is_shipped(path: Path, server: LanguageServer) -> None:
    assert server.complaints(path) == []


@pytest.mark.parametrize("broken", BROKEN, ids=str)
def test_the_editor_complains_on_the_right_line(broken: Broken, server: LanguageServer) -> None:
    complaints = server.complaints(broken.path)
    assert {line for line, _ in complaints} == {broken.line}
    assert broken.says in " ".join(message for _, message in complaints)


@pytest.mark.parametrize("place", OFFERS, ids=str)
def test_the_editor_offers_what_can_be_written(place: Place, server: LanguageServer) -> None:
    offers = server.offers(place.path, place.line, place.column)
    match place.expected:
        case {"words": words}:
            assert set(offers) == set(words)
        case {"shape": shape}:
            for key in SHAPES[shape].keys:
                if f"{key.name}:" not in place.text:
                    assert key.meaning in offers.get(key.name, ""), f"{key.name}: {offers}"


@pytest.mark.parametrize("place", EXPLAINS, ids=str)
def test_the_editor_explains_keys(place: Place, server: LanguageServer) -> None:
    key = next(key for key in SHAPES[place.expected["shape"]].keys if key.name == place.expected["key"])
    said_there = server.hover(place.path, place.line, place.column + 1)
    assert key.meaning in said_there.replace("\\", "").replace("&nbsp;", " ")


def test_every_shape_is_offered_and_explained() -> None:
    for places in (OFFERS, EXPLAINS):
        assert {place.expected["shape"] for place in places if "shape" in place.expected} == set(SHAPES)


def test_a_glob_does_what_the_first_line_does() -> None:
    """The settings of docs/editors.md for files without the line: the patterns find each file's own schema."""
    page = (ROOT / "docs" / "editors.md").read_text("utf-8")
    block = next(text for text in re.findall(r"```json\n(.*?)```", page, re.DOTALL) if '"yaml.schemas"' in text)
    settings = {"yaml": {**SETTINGS["yaml"], "schemas": json.loads(block)["yaml.schemas"]}}
    with started(settings) as server:
        for broken in BROKEN:
            server.open(broken.path, broken.text.replace("$schema=", ""))
        for broken in BROKEN:
            if "ruleset_library" in broken.text:
                continue  # which needs its first line
            assert {line for line, _ in server.complaints(broken.path)} == {broken.line}, broken


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("tests.editors.language_server.SERVER", tmp_path / "nothing")
        with pytest.raises(NotSetUp, match="make editors"):
            LanguageServer(ROOT)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NotSetUp, match="install it, then run `make editors`"):
        LanguageServer(ROOT)


@pytest.mark.parametrize("place", ["CI", "at home"])
def test_without_node_the_editor_is_skipped_but_not_in_ci(
    place: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CI", "true" if place == "CI" else "")
    outcome = pytest.fail.Exception if place == "CI" else pytest.skip.Exception
    with pytest.raises(outcome, match=re.escape("Node.js 18 or later")):
        started()


def test_a_server_that_was_not_installed_is_no_reason_to_skip(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("node", "npm"):
        (tmp_path / name).write_text("#!/bin/sh\n", "utf-8")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CI", "")
    monkeypatch.setattr("tests.editors.language_server.SERVER", tmp_path / "nothing")
    with pytest.raises(pytest.fail.Exception, match="make editors"):
        started()
