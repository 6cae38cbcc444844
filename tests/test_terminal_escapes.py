"""Nothing from a file moves a terminal: every command over rules, schemas, tests and facts full of escapes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import lay_out
from tests.support.commands import Ran, policy
from tests.support.terminal import HOSTILE, QUOTED, unprintable

SCHEMA = {
    "type": "object",
    "title": HOSTILE,
    "additionalProperties": False,
    "required": ["n"],
    "properties": {
        "n": {"type": "integer", "minimum": 0, "maximum": 9, "title": HOSTILE, "description": f"A number {HOSTILE}."},
        "word": {"type": "string", "description": HOSTILE, "examples": [HOSTILE]},
        "place": {"type": "string", "enum": [f"here{HOSTILE}", f"there{HOSTILE}"], "description": HOSTILE},
        "who": {"type": "string", "x-key": True},
    },
}
REASON = f"Because of {HOSTILE} {{n}}."
RULES = {
    "ruleset": "loud",
    "title": f"Title {HOSTILE}",
    "version": f"1 {HOSTILE}",
    "effective": {"from": "2025-01-01", "because": HOSTILE},
    "timezone": "UTC",
    "facts": "loud",
    "sources": {"text": {"title": HOSTILE, "number": HOSTILE, "url": f"https://example.com/{HOSTILE}"}},
    "readings": {
        "way": {"question": HOSTILE, "choice": "one", "choices": {"one": HOSTILE, "two": HOSTILE}, "source": "text"}
    },
    "parameters": {"p": {"value": HOSTILE, "meaning": HOSTILE, "unit": HOSTILE, "source": "text"}},
    "definitions": {"is_p": "default(word, p) == p"},
    "checks": [{"expect": "n != 8", "because": f"Eight {HOSTILE}."}],
    "decisions": {
        "answer": {
            "question": f"What {HOSTILE}?",
            "source": "text",
            "outcomes": [f"yes {HOSTILE}", "no"],
            "with": {"w": "if_known(word)", "v": "p"},
            "rules": [
                {
                    "id": "one",
                    "when": "n > 3 and is_p",
                    "then": f"yes {HOSTILE}",
                    "because": REASON,
                    "readings": ["way"],
                }
            ],
            "otherwise": {"then": "no", "because": REASON},
        },
        "amount": {"question": HOSTILE, "source": "text", "values": {"w": "if_known(word)", "v": "p"}},
    },
}
CASES = {
    "tests": "loud",
    "cases": [
        {"name": f"fails {HOSTILE}", "as_of": "2025-07-01", "facts": {"n": 5, "word": HOSTILE}, "expect": {"answer": "no"}},
        {"name": f"is invalid {HOSTILE}", "as_of": "2025-07-01", "facts": {"n": HOSTILE}, "expect": {"answer": "no"}},
    ],
}  # fmt: skip
TABLES = {
    "tests": "loud",
    "tables": [{"name": HOSTILE, "as_of": "2025-07-01", "columns": ["n", HOSTILE], "rows": {HOSTILE: [1, HOSTILE]}}],
}
FACTS = {
    "good": {"n": 5, "word": HOSTILE, "who": HOSTILE},
    "bad": {"n": HOSTILE, "word": 5, HOSTILE: HOSTILE, "place": HOSTILE},
    "checked": {"n": 8, "word": HOSTILE},
}
BROKEN: Mapping[str, Any] = {
    "name": {**RULES, "ruleset": HOSTILE},
    "facts": {**RULES, "facts": HOSTILE},
    "zone": {**RULES, "timezone": HOSTILE},
    "key": {**RULES, HOSTILE: HOSTILE, f"title{HOSTILE}": 1},
    "expression": {**RULES, "definitions": {"is_p": f"{HOSTILE} == n", "b": f'n == "{HOSTILE}"', "c": f"n {HOSTILE}"}},
    "names": {**RULES, "definitions": {HOSTILE: "n"}, "parameters": {HOSTILE: {"value": 1}}},
    "sources": {**RULES, "sources": {HOSTILE: {"title": HOSTILE}, "text": {HOSTILE: HOSTILE}}},
    "outcomes": {**RULES, "decisions": {"d": {**RULES["decisions"]["answer"], "outcomes": [HOSTILE, HOSTILE]}}},  # type: ignore[index]
    "versions": {**RULES, "effective": {"from": HOSTILE, "until": HOSTILE}},
    "silence": {**RULES, "silence": [{"code": HOSTILE, "because": HOSTILE}]},
}
COMMON = ("loud.answer", "--as-of", "2025-07-01", "--facts")
READERS = ("customer", "agent", "auditor")
COMMANDS: Mapping[str, tuple[str, ...]] = {
    "check": ("check",),
    "check lines": ("check", "--format", "line"),
    "check json": ("check", "--format", "json"),
    "test": ("test", "--coverage"),
    "rules": ("rules",),
    "rules show": ("rules", "show", "loud"),
    "rules show code": ("rules", "show", "loud", "--code", "--as-of", "2025-07-01"),
    "report": ("report", "loud=facts.jsonl", "--as-of", "2025-07-01", "--out", "out"),
    "report json": ("report", "loud=facts.jsonl", "--as-of", "2025-07-01", "--out", "out2", "--json"),
    **{f"decide {name}": ("decide", *COMMON, f"{name}.json") for name in FACTS},
    **{f"decide all {name}": ("decide", "loud", *COMMON[1:], f"{name}.json") for name in FACTS},
    **{f"decide json {name}": ("decide", *COMMON, f"{name}.json", "--json") for name in FACTS},
    **{f"explain {name}": ("explain", *COMMON, f"{name}.json") for name in FACTS},
    "explain json good": ("explain", *COMMON, "good.json", "--json"),
    **{f"explain {reader}": ("explain", *COMMON, "good.json", "--for", reader) for reader in READERS},
    **{f"explain {reader} markdown": ("explain", *COMMON, "good.json", "--for", reader, "--markdown") for reader in READERS},
    **{f"explain {reader} json": ("explain", *COMMON, "good.json", "--for", reader, "--json") for reader in READERS},
    "decide yaml": ("decide", *COMMON, "good.yaml"),
    "decide twice": ("decide", *COMMON, "twice.json"),
    "decide broken": ("decide", *COMMON, "broken.json"),
    "decide broken yaml": ("decide", *COMMON, "broken.yaml"),
    "a file that is not there": ("decide", *COMMON, f"{HOSTILE[:-1]}.json"),
    "a question that is not there": ("decide", f"loud.{HOSTILE}", *COMMON[1:], "good.json"),
}  # fmt: skip


def quoted(data: Any) -> str:
    """JSON, which is YAML, with the escapes as escapes."""
    return json.dumps(data)


def loud_files() -> dict[str, Any]:
    """A folder full of escapes."""
    lines = "".join(f"{quoted(facts)}\n" for facts in FACTS.values())
    return {
        "rules/loud.yaml": quoted(RULES),
        "rules/loud_test.yaml": quoted(CASES),
        "schemas/loud.schema.json": quoted(SCHEMA),
        "facts.jsonl": lines + f'{{"{QUOTED}": 1, "{QUOTED}": 2}}\n[{HOSTILE}\n',
        "good.yaml": quoted(FACTS["good"]),
        "twice.json": f'{{"{QUOTED}": 1, "{QUOTED}": 2}}',
        "broken.json": HOSTILE,
        "broken.yaml": f"{{n: '\n{QUOTED}",
        **{f"{name}.json": quoted(facts) for name, facts in FACTS.items()},
    }


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Ran]:
    """What every command says of the loud folder, and checking of the broken ones."""
    folder = tmp_path_factory.mktemp("loud")
    lay_out(loud_files(), folder)
    answers = {name: policy(*arguments, folder=folder) for name, arguments in COMMANDS.items()}
    for name, rules in BROKEN.items():
        below = tmp_path_factory.mktemp("broken")
        files = {
            "rules/a.yaml": quoted(rules),
            "rules/a_test.yaml": quoted(TABLES),
            "schemas/loud.schema.json": quoted(SCHEMA),
        }
        lay_out(files, below)
        for form in ("text", "line", "json"):
            answers[f"{form} {name}"] = policy("check", "--format", form, folder=below)
    return answers


@pytest.mark.parametrize("name", COMMANDS)
def test_no_command_passes_control_characters_on(name: str, told: Mapping[str, Ran]) -> None:
    ran = told[name]
    assert ran.code in (0, 1, 2), ran.err
    assert ran.out + ran.err
    assert (unprintable(ran.out), unprintable(ran.err)) == ([], [])


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("name", BROKEN)
def test_no_diagnostic_passes_control_characters_on(name: str, form: str, told: Mapping[str, Ran]) -> None:
    ran = told[f"{form} {name}"]
    assert ran.code == 1, ran.err
    assert (unprintable(ran.out), unprintable(ran.err)) == ([], [])


@pytest.mark.parametrize("name", ["outcomes"])
def test_no_line_of_a_diagnostic_passes_control_characters_on(name: str, told: Mapping[str, Ran]) -> None:
    assert unprintable(told[f"line {name}"].out) == []


@pytest.mark.parametrize("name", [name for name in COMMANDS if "json" in name.split() and name.split()[-1] != "bad"])
def test_what_is_printed_as_json_is_json(name: str, told: Mapping[str, Ran]) -> None:
    if told[name].out:
        assert json.loads(told[name].out)


def test_the_loud_rules_are_well(told: Mapping[str, Ran]) -> None:
    assert [one for one in json.loads(told["check json"].out)["diagnostics"] if one["severity"] == "error"] == []
    assert told["decide good"].code == 0, told["decide good"].err
    assert told["decide bad"].code == 1
    assert told["decide checked"].code == 1


def test_the_names_of_files_are_told_without_control_characters(tmp_path: Path) -> None:
    name = HOSTILE.replace("/", "-")
    lay_out({f"rules/{name}.yaml": "x", "schemas/a.schema.json": "{}"}, tmp_path)
    for form in ("text", "json"):
        ran = policy("check", "--format", form, folder=tmp_path)
        assert ran.code == 1
        assert not unprintable(ran.out + ran.err)
