"""The hostile corpora, each case a command in a process of its own: refused in our words, within two seconds and 200 MB."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from policy_engine.diagnostics import WORDINGS
from tests.conftest import ROOT, lay_out, read_data
from tests.support.hostile import EXPRESSIONS, FACTS, FILES, HEAD, record, ruleset, written
from tests.support.measured import MOST_MEGABYTES, MOST_SECONDS, Cost, Job, measure
from tests.support.terminal import unprintable

SIMPLEEVAL: Mapping[str, Any] = read_data(ROOT / "tests/hostile/simpleeval.yaml")
FILE = "rules/hostile.yaml"
SCHEMA = "schemas/facts.schema.json"
Files = Mapping[str, Any]
FACTS_SCHEMA = json.dumps(record(FACTS))


def simpleeval_schema() -> str:
    """A schema in which the names that simpleeval's tests use are known."""
    shape = record({"known": {"type": "boolean"}})
    kinds: Mapping[str, dict[str, Any]] = {
        "records": shape,
        "lists": {"type": "array", "maxItems": 9, "items": shape},
        "texts": {"type": "string"},
    }
    return json.dumps(record({name: shape for kind, shape in kinds.items() for name in SIMPLEEVAL[kind]}))


def expressions() -> Iterator[tuple[str, Files]]:
    """Each hostile expression, alone in a rule file."""
    known = simpleeval_schema()
    for kind, entries in EXPRESSIONS.items():
        for number, entry in enumerate(entries):
            yield f"{kind} {number}: {entry!s:.50}", {FILE: ruleset(written(entry)), SCHEMA: FACTS_SCHEMA}
    for kind, entries in SIMPLEEVAL["expressions"].items():
        for number, entry in enumerate(entries):
            yield f"simpleeval {kind} {number}: {entry!s:.50}", {FILE: ruleset(written(entry)), SCHEMA: known}


def hostile_files() -> Iterator[tuple[str, Files]]:
    """Each hostile file, beside a rule file or a schema that is well."""
    for kind in ("rules", "places"):
        for name, content in FILES[kind].items():
            yield f"{kind}: {name}", {FILE: content, SCHEMA: FACTS_SCHEMA}
    for name, content in FILES["schemas"].items():
        yield f"schemas: {name}", {FILE: ruleset("n"), SCHEMA: content or {"hex": ""}}


CASES = {**dict(expressions()), **dict(hostile_files())}
FORMS = ("json", "text")


@pytest.fixture(scope="module")
def costs(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Cost]:
    """What checking came to in every case and form; the cases one after the other, in two processes."""
    jobs, base = [], tmp_path_factory.mktemp("hostile")
    for number, (name, files) in enumerate(CASES.items()):
        folder = base / str(number)
        lay_out(files, folder)
        forms = FORMS if name.split(": ")[0] in ("rules", "schemas") else FORMS[:1]
        jobs += [Job(f"{form} {name}", str(folder), ("check", "--format", form, FILE)) for form in forms]
    return measure(jobs)


def parameters(kind: str) -> list[str]:
    """The names of the cases of a kind of file."""
    return [f"{kind}: {name}" for name in FILES[kind]]


def refused(cost: Cost) -> None:
    """It ended in time with diagnostics, all of them ours and at least one of them an error."""
    assert not cost.ended_by
    assert (cost.code, cost.err) == (1, "")
    assert cost.codes()
    assert set(cost.codes()) <= WORDINGS.keys()
    cheap(cost)


def cheap(cost: Cost) -> None:
    """It kept within time and memory."""
    assert cost.seconds <= MOST_SECONDS
    assert cost.megabytes <= MOST_MEGABYTES


def test_the_corpora_are_large() -> None:
    assert sum(map(len, EXPRESSIONS.values())) >= 150
    assert sum(len(FILES[kind]) for kind in ("rules", "schemas", "places")) >= 40
    assert sum(map(len, SIMPLEEVAL["expressions"].values())) >= 90


def test_what_surrounds_the_expressions_is_well(tmp_path: Path) -> None:
    for number, (text, schema) in enumerate([("n", FACTS_SCHEMA), ("foo.known", simpleeval_schema())]):
        folder = tmp_path / str(number)
        lay_out({FILE: ruleset(text), SCHEMA: schema}, folder)
        assert measure([Job("it", str(folder))])["it"].codes() == []


@pytest.mark.parametrize("name", [name for name, _ in expressions()])
def test_an_expression_is_refused(name: str, costs: Mapping[str, Cost]) -> None:
    refused(costs[f"json {name}"])


@pytest.mark.parametrize("name", [*parameters("rules"), *parameters("schemas")])
def test_a_file_is_refused(name: str, costs: Mapping[str, Cost]) -> None:
    refused(costs[f"json {name}"])
    told = costs[f"text {name}"]
    cheap(told)
    assert "error[" in told.out
    assert not unprintable(told.out)


@pytest.mark.parametrize("name", parameters("places"))
def test_what_is_no_file_is_refused(name: str, costs: Mapping[str, Cost]) -> None:
    """By a diagnostic, or where the command line names nothing that could be read, by a sentence."""
    cost = costs[f"json {name}"]
    if cost.code == 2:
        assert cost.out == ""
        assert cost.err.startswith("there is no ") or cost.err.endswith(" is neither a file nor a folder\n")
        assert cost.err.count("\n") == 1
        cheap(cost)
    else:
        refused(cost)


def chain(length: int, body: str) -> dict[str, Any]:
    """Definitions each of which names the one before."""
    parts = {f"d{i}": body.format(f"d{i - 1}") if i else "flag" for i in range(length)}
    return {"definitions": parts, "decisions": {"d": {"question": "Q", "values": {"v": f"d{length - 1}"}}}}


def decisions(length: int) -> dict[str, Any]:
    """Decisions each of which asks the one before."""
    values = [f"decisions.d{i - 1}.v" if i else "n" for i in range(length)]
    return {"decisions": {f"d{i}": {"question": "Q", "values": {"v": value}} for i, value in enumerate(values)}}


def misspelt(length: int) -> dict[str, Any]:
    """Many names that are not there, among as many that are."""
    return {
        "definitions": {f"name_{i}": "flag" for i in range(length)},
        "decisions": {"d": {"question": "Q", "values": {f"v{i}": f"nmae_{i}" for i in range(length)}}},
    }


CHECK = ("check", "--format", "json")
ASK = ("--as-of", "2025-07-01", "--facts", "facts.json")
LARGE: Mapping[str, tuple[Mapping[str, Any], tuple[str, ...]]] = {
    "definitions in a row": (chain(3_000, "{0}"), CHECK),
    "decisions in a row": (decisions(1_500), CHECK),
    "names misspelt": (misspelt(2_000), CHECK),
    "definitions that double": (chain(25, "{0} and {0}"), CHECK),
}


@pytest.mark.parametrize(
    "name",
    LARGE,
)
def test_a_large_ruleset_is_answered_soon(name: str, tmp_path: Path) -> None:
    body, command = LARGE[name]
    lay_out({FILE: json.dumps({**HEAD, **body}), SCHEMA: FACTS_SCHEMA, "facts.json": '{"flag": true}'}, tmp_path)
    cost = measure([Job(name, str(tmp_path), command)])[name]
    assert not cost.ended_by
    assert cost.code in (0, 1), cost.err
    cheap(cost)
