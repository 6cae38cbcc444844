"""The grammar of AuthZEN mappings, in the terms of `shapes`: which keys there are, and what each means."""

from __future__ import annotations

from policy_engine.frontend.shapes import Either, Key, Kind, MapOf, SequenceOf, Shape

TEXTS = SequenceOf(Kind.TEXT, least=1)

AUTHZEN_TABLE = Shape(
    "a table of entities",
    (
        Key("id", "the column of the ids, each of which stands there once", Kind.TEXT, required=True),
        Key("file", "a file of CSV, Parquet, JSON Lines or Excel, beside the mapping", Kind.TEXT),
        Key("duckdb", "the file of a DuckDB database, beside the mapping", Kind.TEXT),
        Key("postgres", "how to connect to a PostgreSQL server, such as `service=permissions`", Kind.TEXT),
        Key("table", "the table of the database, as schema.table", Kind.TEXT),
        Key("query", "the SELECT by which the database gives the rows, in the place of `table`", Kind.TEXT),
    ),
    one_of=("file", "duckdb", "postgres"),
)
AUTHZEN_PERMISSION = Shape(
    "a permission",
    (
        Key("decision", "the decision that is asked, as ruleset.decision", Kind.TEXT, required=True),
        Key("allow", "the outcome that permits; `allow` if left out", Kind.TEXT),
        Key("subject", "the type of the subjects it is about", Kind.TEXT, required=True),
        Key("resource", "the type of the resources it is about", Kind.TEXT, required=True),
        Key(
            "actions",
            "the names of the actions; those of the fact that `action.name` gives, if it has a closed set",
            TEXTS,
        ),
        Key(
            "facts",
            "where each fact comes from; of several places the first that has a value",
            MapOf(Either((Kind.TEXT, TEXTS))),
            required=True,
        ),
        Key("constants", "facts that are the same in every question", MapOf(Kind.CONSTANT)),
    ),
)
AUTHZEN_MAPPING = Shape(
    "an AuthZEN mapping",
    (
        Key(
            "permissions",
            "which decision answers for whom and for what",
            SequenceOf(AUTHZEN_PERMISSION, least=1),
        ),
        Key("subjects", "for a type of subjects the table of those that are known", MapOf(AUTHZEN_TABLE, names=None)),
        Key("resources", "for a type of resources the table of those that are known", MapOf(AUTHZEN_TABLE, names=None)),
        Key(
            "tenants",
            "for each tenant the file of its own mapping, beside this one",
            MapOf(Kind.TEXT, names=Kind.KEBAB),
        ),
    ),
    some_of=("permissions", "tenants"),
)
