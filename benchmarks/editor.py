"""What an editor waits for, in a ruleset of 1,000 rules, 300 definitions and 200 facts: `python -m benchmarks.editor`.

Times are the processor time of this process. A completion is measured as the server answers it: what is offered, in the types of
the protocol, written as JSON.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import process_time_ns

from lsprotocol import types as lsp
from pygls.protocol import default_converter

from policy_engine.lsp import index, protocol
from policy_engine.lsp.completion import offers_at
from policy_engine.lsp.hover import hover_at
from policy_engine.lsp.protocol import Lines
from policy_engine.lsp.renaming import rename, renamed_at
from policy_engine.lsp.session import settle
from policy_engine.lsp.symbols import Symbol
from policy_engine.lsp.workspace import Project, Snapshot, Workspace

RULES, DEFINITIONS, FACTS, CASES = 1_000, 300, 200, 500
LIMIT = 50
"""Milliseconds within which something must be offered."""
ROUNDS = 15
CONVERTER = default_converter()  # type: ignore[no-untyped-call]  # pygls gives it no types
WRITTEN = (
    "  typed: ",
    "  typed: kind_1 == ",
    '  typed: kind_1 in ["a", "',
    "  typed: known(da",
    "  typed: d7 and (amount_3 > 4 or d",
    "  typed: decisions.answer.",
)
HEAD = """\
ruleset: large
title: A large ruleset
version: "1"
effective: {from: 2020-01-01}
timezone: UTC
facts: large
sources:
  made: {title: Made for the benchmarks}
definitions:
"""


def main() -> int:
    """Measure, and print; the exit code tells whether a completion took too long."""
    with TemporaryDirectory() as folder:
        path = write(Path(folder))
        workspace = Workspace()
        project = workspace.put(path, path.read_text("utf-8"))
        assert project is not None
        print_line("all files read and checked for the first time", [timed(lambda: workspace.look(project))])
        print_line("checked again after a change of the rules", rechecks(workspace, project, path, "amount_5 > 5"))
        workspace.look(project).make_ready([path])
        settle()
        worst = completions(workspace.look(project), path)
        hovers(workspace.look(project), path)
        renaming(workspace, project, path)
    return 0 if worst <= LIMIT else 1


def write(folder: Path) -> Path:
    """Write the ruleset, its tests and its schema below a folder; the file of the ruleset."""
    for name in ("rules", "schemas"):
        (folder / name).mkdir()
    (folder / "schemas" / "large.schema.json").write_text(json.dumps(schema(), indent=1), "utf-8")
    (folder / "rules" / "large_test.yaml").write_text(tests(), "utf-8")
    path = folder / "rules" / "large.yaml"
    path.write_text(rules(), "utf-8")
    return path


def schema() -> dict[str, object]:
    """Amounts, dates and closed sets."""
    kinds: list[dict[str, object]] = [
        {"type": "integer", "minimum": 0, "maximum": 1000, "x-unit": "EUR", "description": "An amount."},
        {"type": "string", "format": "date", "description": "A day."},
        {"type": "string", "enum": ["a", "b", "c"], "description": "A kind."},
    ]
    properties = {f"{('amount', 'date', 'kind')[i % 3]}_{i // 3}": kinds[i % 3] for i in range(FACTS)}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A case",
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
    }


def rules() -> str:
    """The ruleset."""
    kinds = ("amount_{0} > {1}", "days_between(date_{0}, as_of) < {1}", 'kind_{0} == "b"')
    definitions = (f"  d{i}: {kinds[i % 3].format(i // 3 % (FACTS // 3), i)}\n" for i in range(DEFINITIONS))
    listed = map(rule, range(RULES))
    decision = (
        "decisions:\n  answer:\n    question: What is it?\n    source: made\n    outcomes: ['yes', 'no']\n    rules:\n"
    )
    return f"{HEAD}{''.join(definitions)}{decision}{''.join(listed)}    otherwise: {{then: 'no', because: Nothing else.}}\n"


def rule(number: int) -> str:
    """One rule."""
    when = f"d{number % DEFINITIONS} and amount_{number % 60} > {number}"
    return f"      - {{id: r{number}, when: {when}, then: {('yes', 'no')[number % 2]}, because: Rule {number}.}}\n"


def tests() -> str:
    """A test file."""
    return "tests: large\ncases:\n" + "".join(map(case, range(CASES)))


def case(number: int) -> str:
    """One case."""
    facts, expect = f"{{amount_{number % 60}: {number}}}", "{answer: {status: undetermined}}"
    return f"  - {{name: case {number}, as_of: 2025-01-01, facts: {facts}, expect: {expect}}}\n"


def rechecks(workspace: Workspace, project: Project, path: Path, part: str) -> list[float]:
    """Milliseconds to check again, each time after another change."""
    found = []
    text = path.read_text("utf-8")
    for i in range(5):
        workspace.put(path, text.replace(part, f"amount_5 > {i + 50}", 1))
        found.append(timed(lambda: workspace.look(project)))
    workspace.put(path, text)
    return found


def completions(snapshot: Snapshot, path: Path) -> float:
    """Offer something for each of the texts; the longest it took, in milliseconds."""
    worst = 0.0
    for written in WRITTEN:
        lines = path.read_text("utf-8").split("\n")
        at = lines.index("definitions:") + 1
        lines.insert(at, written)
        found = [timed(lambda: answer(snapshot, path, lines, at)) for _ in range(ROUNDS)]  # noqa: B023 - called at once
        print_line(f"completion behind `{written.strip()}`", found)
        worst = max(worst, *found)
    return worst


def answer(snapshot: Snapshot, path: Path, lines: list[str], at: int) -> str:
    """The answer to a completion at the end of a line, as JSON."""
    text, place = Lines(lines, "utf-16"), lsp.Position(at, len(lines[at]))
    offers = offers_at(snapshot, path, lines, *text.caret(place))
    return json.dumps(CONVERTER.unstructure(protocol.completion_list(offers, place, text)))


def hovers(snapshot: Snapshot, path: Path) -> None:
    """Say what a name means: the first time, and then."""
    lines = path.read_text("utf-8").split("\n")
    at = next(number for number, line in enumerate(lines) if "id: r500" in line)
    column = lines[at].index("amount_") + 1
    found = [timed(lambda: hover_at(snapshot, path, lines, at, column)) for _ in range(ROUNDS)]
    print_line("what a name means, asked first after a change", found[:1])
    print_line("what a name means, asked again", found[1:])


def renaming(workspace: Workspace, project: Project, path: Path) -> None:
    """Rename a fact, and a definition, with the check of what would come out."""
    snapshot = workspace.look(project)
    for symbol in (Symbol("fact", "large", "amount_5"), Symbol("definition", "large", "d5")):
        place = next(each.span for each in index.places_of(snapshot, symbol) if each.span.path == str(path))
        found = renamed_at(snapshot, path, place.line, place.column)
        took = [timed(lambda: rename(workspace, project, found, "other_name")) for _ in range(3)]  # noqa: B023 - called at once
        print_line(f"a new name for a {symbol.kind}", took)


def timed(work: Callable[[], object]) -> float:
    """The processor time of some work, in milliseconds."""
    start = process_time_ns()
    work()
    return (process_time_ns() - start) / 1e6


def print_line(what: str, found: list[float]) -> None:
    """Print the median and the worst of some times."""
    sys.stdout.write(f"{median(found):8.1f} ms, at worst {max(found):8.1f} ms: {what}\n")


if __name__ == "__main__":
    sys.exit(main())
