"""Imports point downwards only, never sideways, and each library is known to the modules that may know it."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from tests.conftest import ROOT

PACKAGE = ROOT / "policy_engine"
FOUNDATION = ("source", "fixes", "diagnostics", "errors", "files", "text_encodings", "version")
LAYERS = (
    FOUNDATION,
    ("documents",),
    ("language",),
    ("frontend", "facts", "reference", "backends"),
    ("compiled",),
    ("answering",),
    ("engine",),
    ("tables",),
    ("decision_log",),
    ("analysis", "reports"),
    ("service", "lsp", "client"),
    ("api", "cli"),
)
"""From the bottom up. Rooms of one layer do not know each other; the foundation's stand on one another, in order."""

STRANGERS = {
    "tables": ("frontend",),
    "client": ("frontend", "reference", "backends", "compiled", "engine", "tables", "analysis", "reports"),
}
"""For a room, those of lower layers that it does without all the same: tables are read by their schema, not by rule files,
and the client knows nothing of how answers are found."""

ABOVE_ALL = ("__init__", "__main__")
ALLOWED = {
    "yaml": ("documents/yaml_reader.py", "documents/yaml_layout.py"),
    "pandas": ("tables/frames.py",),
    "pyarrow": ("tables/frames.py",),
    "orjson": ("documents/facts_files.py",),
    "simpleeval": ("reference/evaluator.py",),
    "jsonschema": ("facts/violations.py",),
    "jsonschema_rs": ("facts/fast_validator.py", "language/text_patterns.py"),
    "referencing": ("facts/violations.py",),
    "typer": ("cli/",),
    "click": ("cli/",),
    "rich": ("cli/",),
    "pendulum": ("language/",),
    "tzdata": ("language/timezones.py",),
    "holidays": ("language/calendars.py",),
    "babel": ("language/formats.py",),
    "jinja2": ("reports/html/page.py",),
    "python_calamine": ("tables/sheets.py",),
    "polars": ("backends/", "tables/", "reports/", "decision_log/exporting.py", "service/authzen/", "api.py"),
    "backports": ("tables/source.py",),
    "compression": ("tables/source.py",),
    "pytest": ("cli/pytest_plugin.py",),
    "pygls": ("lsp/server.py", "lsp/session.py", "lsp/protocol.py"),
    "lsprotocol": ("lsp/server.py", "lsp/session.py", "lsp/protocol.py"),
    "sqlglot": ("backends/sql/",),
    "duckdb": ("tables/databases/duckdb_rows.py",),
    "psycopg": ("decision_log/postgres_store.py", "tables/databases/postgres_rows.py"),
    "py4j": ("tables/databases/spark_rows.py",),
    "pyspark": ("tables/databases/spark_rows.py", "tables/databases/spark_frames.py"),
    "xlsxwriter": ("reports/workbook.py",),
    "httpx": ("client/connections.py", "client/blocking.py", "client/awaiting.py"),
    "cryptography": ("decision_log/notes.py", "decision_log/sealing.py"),
    "joserfc": ("service/tokens.py",),
    "opentelemetry": ("service/telemetry.py",),
    "httptools": ("service/reading.py",),
    "uvloop": ("service/worker.py",),
}


class Import(NamedTuple):
    """A module and a name it imports, at a line."""

    module: str
    imported: str
    line: int

    def __str__(self) -> str:
        return f"policy_engine/{self.module}:{self.line} imports {self.imported}"


def imports() -> Iterator[Import]:
    """Every import of every module, those within functions included."""
    for path in sorted(PACKAGE.rglob("*.py")):
        module = path.relative_to(PACKAGE).as_posix()
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            for name in _imported(node):
                yield Import(module, name, getattr(node, "lineno", 0))


def _imported(node: ast.AST) -> Iterator[str]:
    """The modules that a node imports; `from a import b` may name the module a.b."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        assert node.level == 0, "a relative import"
        yield from {_module(node.module or "", alias.name) for alias in node.names}


def _module(parent: str, name: str) -> str:
    below = Path(*parent.split(".")) / name
    is_module = (ROOT / below).is_dir() or (ROOT / below.with_suffix(".py")).is_file()
    return f"{parent}.{name}" if parent.startswith("policy_engine") and is_module else parent


def room(module: str) -> str:
    """The top-level part of the package that a module belongs to."""
    return module.removesuffix(".py").partition("/")[0]


def level(name: str) -> int | None:
    """The layer of a room, None for one that no layer knows."""
    return next((height for height, rooms in enumerate(LAYERS) if name in rooms), None)


def rises(found: Import) -> bool:
    """Whether an import of ours points up or sideways."""
    here, there = room(found.module), found.imported.split(".")[1] if "." in found.imported else "__init__"
    if here in ABOVE_ALL or here == there:
        return False
    below, above = level(here), level(there)
    if below is None or above is None:
        return True
    if here in FOUNDATION and there in FOUNDATION:
        return FOUNDATION.index(there) >= FOUNDATION.index(here)
    return above >= below


def test_every_room_has_a_layer() -> None:
    rooms = {room(path.relative_to(PACKAGE).as_posix()) for path in PACKAGE.rglob("*.py")}
    assert sorted(name for name in rooms if name not in ABOVE_ALL and level(name) is None) == []


def test_imports_point_downwards_and_never_sideways() -> None:
    ours = [found for found in imports() if found.imported.partition(".")[0] == "policy_engine"]
    assert ours
    assert [str(found) for found in ours if rises(found)] == []


def test_rooms_import_nothing_of_those_they_do_without() -> None:
    unwanted = [
        str(found)
        for found in imports()
        for stranger in STRANGERS.get(room(found.module), ())
        if found.imported.startswith(f"policy_engine.{stranger}")
    ]
    assert unwanted == []


def test_libraries_are_known_only_where_they_may_be() -> None:
    outside = [found for found in imports() if _is_library(found.imported)]
    assert outside
    assert [str(found) for found in outside if not found.module.startswith(_places(found))] == []


def _is_library(name: str) -> bool:
    top = name.partition(".")[0]
    return top != "policy_engine" and top not in sys.stdlib_module_names


def _places(found: Import) -> tuple[str, ...]:
    return ALLOWED.get(found.imported.partition(".")[0], ("nowhere/",))


def test_nothing_below_the_edge_reads_a_clock_or_chance() -> None:
    wanted = {"random", "secrets", "time", "uuid", "socket", "urllib.request", "http.client"}
    edge = ("cli/", "service/", "client/", "api.py")
    found = [one for one in imports() if one.imported in wanted and not one.module.startswith(edge)]
    assert [str(one) for one in found if (one.imported, room(one.module)) != ("random", "analysis")] == []


def test_what_is_drawn_in_analysis_is_drawn_with_a_seed() -> None:
    modules = [ast.parse(path.read_text("utf-8")) for path in (PACKAGE / "analysis").glob("*.py")]
    nodes = [node for module in modules for node in ast.walk(module)]
    taken = [node for node in nodes if isinstance(node, ast.ImportFrom) and node.module == "random"]
    drawn = [node for node in nodes if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Random"]
    assert {name.name for node in taken for name in node.names} == {"Random"}
    assert drawn
    assert all(call.args for call in drawn)
    assert not [node for node in nodes if isinstance(node, ast.Import) and node.names[0].name == "random"]


def test_the_clock_and_the_environment_are_read_where_questions_come_in() -> None:
    readers = [
        f"{path.relative_to(PACKAGE).as_posix()}:{node.lineno}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in ("now", "today", "utcnow", "environ", "getenv")
    ]
    assert [place.split(":")[0] for place in readers] == ["cli/options.py", "cli/serve.py", "service/clock.py"]


def test_no_file_imports_itself_by_way_of_others() -> None:
    """Imports that only a type checker follows are left out: they never run."""
    graph = {module: set(_imported_files(module)) for module in _modules()}
    circles = [module for module in graph if module in _reached(graph[module], graph)]
    assert circles == []


def test_a_circle_of_files_would_be_seen() -> None:
    graph = {"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}
    assert [module for module in graph if module in _reached(graph[module], graph)] == ["a", "b", "c"]


@cache
def _modules() -> dict[str, Path]:
    """Every module of the package by its dotted name."""
    found = {path: ".".join(path.relative_to(ROOT).with_suffix("").parts) for path in PACKAGE.rglob("*.py")}
    return {name.removesuffix(".__init__"): path for path, name in found.items()}


def _imported_files(module: str) -> Iterator[str]:
    """The modules that a module imports when it runs, those named in functions included."""
    known = _modules()
    tree = ast.parse(known[module].read_text("utf-8"))
    unseen = {id(inner) for node in ast.walk(tree) if _is_for_types(node) for inner in ast.walk(node)}
    for node in ast.walk(tree):
        if id(node) not in unseen:
            yield from (name for name in _imported(node) if name in known and name != module)


def _is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def _reached(start: set[str], graph: dict[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = list(start)
    while waiting:
        module = waiting.pop()
        if module not in found:
            found.add(module)
            waiting += graph.get(module, ())
    return found


def test_the_files_that_the_page_names_are_there() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    named = set(re.findall(r"`([a-z_/]+\.py)`", page))
    assert named
    files = {path.relative_to(ROOT).as_posix() for path in [*PACKAGE.rglob("*.py"), *(ROOT / "tests").rglob("*.py")]}
    assert [name for name in sorted(named) if not any(f"/{file}".endswith(f"/{name}") for file in files)] == []
