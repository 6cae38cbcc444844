"""The names of tables in databases, such as `postgresql://reader@host/crm/public.accounts`, and what they say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote

from policy_engine.diagnostics import shown_text
from policy_engine.errors import CannotRun

POSTGRES, DUCKDB, SPARK = "postgres", "duckdb", "spark"
PREFIXES = {"postgresql://": POSTGRES, "postgres://": POSTGRES, "duckdb:": DUCKDB, "spark:": SPARK}
QUERY = re.compile(r"[?&]query=")
"""Begins a query, which goes on to the end of the name."""
SECRET = re.compile("(?:ssl)?password=", re.IGNORECASE)
MOST_PARTS = 3
"""Database, schema and table."""
EXAMPLES = {
    POSTGRES: "postgresql://user@host/database/schema.table",
    DUCKDB: "duckdb:file.db/table",
    SPARK: "spark:table",
}


@dataclass(frozen=True, slots=True)
class DatabasePlace:
    """A table in a database, or what a query gives there.

    `name` is how it was written. `address` is what a connection is made with: a URL, or a file; nothing for Spark. One of
    `table`, its parts, and `query` is there.
    """

    kind: str
    name: str
    address: str
    table: tuple[str, ...] = ()
    query: str | None = None

    @property
    def shown(self) -> str:
        """The name as messages show it."""
        return shown_text(self.name)


def is_in_database(name: str) -> bool:
    """Whether a table's name leads to a database."""
    return name.startswith(tuple(PREFIXES))


def database_place(name: str) -> DatabasePlace:
    """The place that a name leads to; raises `CannotRun` where it is not written as such names are."""
    prefix = next(prefix for prefix in PREFIXES if name.startswith(prefix))
    kind, rest = PREFIXES[prefix], name.removeprefix(prefix)
    found = QUERY.search(rest)
    where, query = (rest[: found.start()], unquote(rest[found.end() :])) if found else (rest, None)
    if kind == POSTGRES:
        return _postgres(prefix, where, query)
    file, slash, table = where.rpartition("/") if kind == DUCKDB and query is None else ("", "/", where)
    if query is not None:
        return DatabasePlace(kind, name, where, query=_query(name, query))
    if kind == SPARK and ("/" in table or table.endswith(".parquet")):
        path = table.replace("`", "``")
        return DatabasePlace(kind, name, "", query=f"SELECT * FROM parquet.`{path}`")
    if not slash or (kind == DUCKDB and not file):
        raise CannotRun(f"`{shown_text(name)}` names no table; write {EXAMPLES[kind]}")
    return DatabasePlace(kind, name, file, _table(name, kind, table))


def _postgres(prefix: str, where: str, query: str | None) -> DatabasePlace:
    """A place in PostgreSQL: its URL is that of libpq, with the table as a further part of the path."""
    head, _, options = where.partition("?")
    authority, _, path = head.partition("/")
    database, _, table = path.partition("/")
    user, at, host = authority.rpartition("@")
    own, colon, _ = user.partition(":")
    others = [option for option in options.split("&") if option]
    kept = [option for option in others if not SECRET.match(option)]
    marked = f"?{'&'.join(kept)}" if kept else ""
    if colon or kept != others:
        told = f"{prefix}{own}{at}{host}/{path}{marked}"
        raise CannotRun(
            f"`{shown_text(told)}` was given with a password, which others on this machine can see, and a report would keep; "
            "leave it out, and give it as PGPASSWORD or in ~/.pgpass"
        )
    address = f"postgresql://{authority}/{database}{marked}"
    if query is not None:
        name = f"{prefix}{where}{'&' if options else '?'}query={query.replace('%', '%25')}"
        return DatabasePlace(POSTGRES, name, address, query=_query(name, query))
    name = f"{prefix}{where}"
    return DatabasePlace(POSTGRES, name, address, _table(name, POSTGRES, table))


def _query(name: str, query: str) -> str:
    """A query without the semicolon that may end it; raises `CannotRun`."""
    found = query.strip().removesuffix(";").rstrip()
    if not found or "\0" in found:
        raise CannotRun(f"`{shown_text(name)}` has no query; write it behind `query=`")
    return found


def _table(name: str, kind: str, table: str) -> tuple[str, ...]:
    """The parts of a table's name; a point within a part is written %2E. Raises `CannotRun`."""
    parts = tuple(_parts(table))
    if not all(parts) or len(parts) > MOST_PARTS or any("\0" in part for part in parts):
        raise CannotRun(f"`{shown_text(name)}` names no table; write {EXAMPLES[kind]}")
    return parts


def _parts(table: str) -> Iterator[str]:
    return (unquote(part) for part in table.split("."))
