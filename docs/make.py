"""Writes what the documentation takes from the code and the tests: functions, keys, diagnostics, settings, refusals, cases.

`python docs/make.py` writes them; `python docs/make.py --check` writes nothing, and fails where one is not current. A table
stands between `<!-- name -->` and `<!-- /name -->`; a table of keys also says whose: `<!-- keys: RULE -->`. The line `*Cases:*`
under a numbered sentence names the files whose cases cite the sentence.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import Field, fields
from functools import cache
from pathlib import Path
from typing import Any

from policy_engine import diagnostics
from policy_engine.backends.sql.dialects.table import DIALECTS
from policy_engine.backends.sql.refusals import REFUSED, Refusal, Row
from policy_engine.diagnostics import Wording
from policy_engine.documents.nodes import plain
from policy_engine.documents.yaml_reader import read_file
from policy_engine.frontend import authzen_shapes, shapes
from policy_engine.frontend.shapes import Key, Shape
from policy_engine.language.functions import AGGREGATES, FUNCTIONS, AggregateFunction, Example, Function
from policy_engine.service.problems import KINDS, Kind
from policy_engine.service.settings import Settings, variable

FOLDER = Path(__file__).parent
PAGES = ("language.md", "diagnostics/README.md", "semantics.md", "service.md", "authzen.md", "sql.md")
CASES = FOLDER.parent / "tests" / "conformance"
TABLE = re.compile(
    r"(<!-- (functions|aggregates|keys|diagnostics|settings|problems|refusals)(?:: (\w+))? -->\n).*?(<!-- /\2 -->)",
    re.DOTALL,
)
SENTENCE = re.compile(r"^(\*\*(\d+(?:\.\d+)?)\*\* (?:.+\n)+?)\*Cases:\*.*\n", re.MULTILINE)
SHAPES: Mapping[str, Shape] = {
    name: shape for name, shape in {**vars(shapes), **vars(authzen_shapes)}.items() if isinstance(shape, Shape)
}
GROUPS = (
    ("Files and YAML", "_FILES"),
    ("Keys and shapes", "_SHAPES"),
    ("Schemas", "_SCHEMAS"),
    ("Names", "_NAMES"),
    ("Expressions", "_EXPRESSIONS"),
    ("Meaning", "_MEANING"),
    ("Tests", "_TESTS"),
)


def main(arguments: list[str]) -> int:
    """Write the pages, or with `--check` only name those that are not current; the exit code."""
    stale = [page for page in PAGES if not _is_current(FOLDER / page, write="--check" not in arguments)]
    missing = sorted(SHAPES.keys() - _shapes_shown())
    if missing:
        sys.stderr.write(f"no page has a place for the keys of {', '.join(missing)}: add `<!-- keys: NAME -->`\n")
    if stale and "--check" in arguments:
        sys.stderr.write(f"not current: {', '.join(stale)}; run `python docs/make.py`\n")
        return 1
    return 1 if missing else 0


def _is_current(path: Path, *, write: bool) -> bool:
    text = path.read_text("utf-8")
    made = TABLE.sub(lambda found: f"{found[1]}\n{_table(found[2], found[3])}\n{found[4]}", text)
    made = SENTENCE.sub(lambda found: f"{found[1]}*Cases:* {_files_that_cite(found[2])}.\n", made)
    if made != text and write:
        path.write_text(made, "utf-8")
    return made == text


def _files_that_cite(sentence: str) -> str:
    """Links to the files that have a case for a sentence."""
    names = [path.stem for path in sorted(CASES.glob("*.yaml")) if sentence in _cited(path)]
    return ", ".join(f"[{name}](../tests/conformance/{name}.yaml)" for name in names)


@cache
def _cited(path: Path) -> frozenset[str]:
    """The sentences that the cases of a file are about."""
    _, node, faults = read_file(path)
    assert node is not None, faults
    document: Any = plain(node)
    return frozenset(str(sentence) for case in document["cases"] for sentence in case["sentences"])


def _shapes_shown() -> set[str]:
    texts = [(FOLDER / page).read_text("utf-8") for page in ("language.md", "authzen.md")]
    return {found[3] for text in texts for found in TABLE.finditer(text) if found[3]}


def _table(kind: str, name: str) -> str:
    match kind:
        case "functions":
            return _rows(("call", "takes", "gives", "for example"), map(_function, FUNCTIONS.values()))
        case "aggregates":
            return _rows(("aggregate", "goes over", "gives", "for example"), map(_aggregate, AGGREGATES.values()))
        case "keys":
            return _rows(("key", "needed", "what it says"), map(_key, SHAPES[name].keys))
        case "settings":
            return _rows(
                ("setting", "in the environment", "if left out", "what it is"), map(_setting, fields(Settings))
            )
        case "refusals":
            return _rows(("what", "where", "it says"), map(_refusal, REFUSED.items()))
        case "problems":
            return _rows(("kind", "status", "title", "what to do"), map(_problem, KINDS))
        case _:
            return "\n".join(_group(title, getattr(diagnostics, table)) for title, table in GROUPS)


def _rows(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = tuple(head)
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _key(key: Key) -> tuple[str, ...]:
    return f"`{key.name}`", "yes" if key.required else "", _plain(key.meaning)


def _function(row: Function) -> tuple[str, ...]:
    takes = "; ".join(f"`{parameter.name}`: {parameter.expected}" for parameter in row.parameters)
    return f"`{row.signature}`", takes, _plain(row.meaning), _example(row.example)


def _aggregate(row: AggregateFunction) -> tuple[str, ...]:
    unknown = " Unknown over an empty list." if row.empty else ""
    return f"`{row.name}`", row.expected, _plain(row.meaning) + unknown, _example(row.example)


def _setting(row: Field[Any]) -> tuple[str, ...]:
    default = "nothing" if row.default in (None, "") else f"`{json.dumps(row.default)}`".replace('"', "")
    return f"`{row.name}`", f"`{variable(row)}`", default, _plain(row.metadata["what"])


def _refusal(row: tuple[Refusal, Row]) -> tuple[str, ...]:
    refusal, (what, dialects) = row
    where = ", ".join(DIALECTS[name].title for name in dialects) or "everywhere"
    return what, where, _plain(str(refusal))


def _problem(row: Kind) -> tuple[str, ...]:
    return f"`{row.name}`", str(row.status), _plain(row.title), _plain(row.advice)


def _example(example: Example) -> str:
    facts = ", ".join(f"`{name}` is {_json(value)}" for name, value in example.facts.items())
    return f"`{example.expression}` is {_json(example.gives)}" + (f", where {facts}" if facts else ", with no facts")


def _json(value: object) -> str:
    return f"`{value}`" if isinstance(value, str) else f"`{json.dumps(value)}`".replace('"', "")


def _group(title: str, table: Mapping[str, Wording]) -> str:
    rows = (
        (
            f'<a id="{code}"></a>[`{code}`]({code}.md)',
            str(row.severity),
            _words(row.message),
            _words(row.hint or ""),
            _fixed(code),
        )
        for code, row in table.items()
    )
    return f"## {title}\n\n{_rows(('code', 'severity', 'it says', 'and advises', '`--fix`'), rows)}"


def _fixed(code: str) -> str:
    """Whether `policy check --fix` does what a diagnostic advises, by its page."""
    page = (FOLDER / "diagnostics" / f"{code}.md").read_text("utf-8")
    return "" if "`policy check --fix`" not in page else "where it is sure" if "where only" in page else "yes"


def _words(text: str) -> str:
    """A wording with its holes: a doubled brace is a brace to read."""
    return _plain(text.replace("{{{", "{{").replace("}}}", "}}"))


def _plain(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
