"""A query as a model of dbt, with its properties: documentation of columns, accepted values, and tests of keys.

dbt takes models and descriptions for templates. All that is ours stands where it reads none.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from policy_engine.diagnostics import shown_text
from policy_engine.errors import CannotRun
from policy_engine.language.decisions import Status
from policy_engine.language.rulesets import DecisionLogic, Ruleset

STATUSES = (*map(str, Status), "invalid")
PLAIN = re.compile("[A-Za-z_][A-Za-z0-9_]*")
SIGNS = ("{{", "{%", "{#")


class Column(NamedTuple):
    """A column of a model: what it says, the values it may have (none: any), and whether each row has one of its own."""

    name: str
    description: str
    values: Sequence[str] = ()
    is_key: bool = False


def relation(table: str) -> str:
    """The template for a table: of a source as schema.table, or of another model; raises `CannotRun`."""
    parts = table.split(".")
    if len(parts) > 2 or not all(map(PLAIN.fullmatch, parts)):
        raise CannotRun(f"--from: dbt knows `{shown_text(table)}` by no name; write a model, or SOURCE.TABLE")
    names = ", ".join(f"'{part}'" for part in parts)
    return f"{{{{ {'ref' if len(parts) == 1 else 'source'}({names}) }}}}"


def model(ask: Callable[..., str], table: str) -> str:
    """The text of a model; `ask` gives the query over a table. Raises `CannotRun` for what dbt would read otherwise."""
    template = relation(table)
    name = _stand_in(ask(table=table))
    query = ask(table=name)
    if re.search(r"\{%-?\s*endraw", query):
        raise CannotRun("a text of the ruleset has the sign `{% endraw %}`, after which dbt would read a template")
    raw = re.sub(f'["`]{name}["`]', f"{{% endraw %}}{template}{{% raw %}}", query.removesuffix(";\n"))
    return f"{{% raw %}}{raw.replace(name, table)}\n{{% endraw %}}\n"


def _stand_in(text: str) -> str:
    """A name that does not occur in a text."""
    name = "dbt_relation"
    while name in text:
        name += "_"
    return name


def properties(ruleset: Ruleset, name: str, keep: Sequence[str] | None) -> str:
    """The YAML file of a model's properties; `keep` are the columns that stand first, those of keys for None."""
    keys = [member.name for member in ruleset.facts.type.members if member.key]
    lines = ["version: 2", "models:", f"  - name: {name}", f"    description: {_text(ruleset.title)}", "    columns:"]
    told = {member.name: member.description for member in ruleset.facts.type.members}
    columns = [Column(each, told.get(each, ""), is_key=each in keys) for each in (keys if keep is None else keep)]
    for column in (*columns, *(column for logic in ruleset.decisions for column in _columns(logic))):
        lines += _lines(column)
    return "\n".join(lines) + "\n"


def _columns(logic: DecisionLogic) -> Iterator[Column]:
    """The columns of a decision that have something to say."""
    yield Column(f"{logic.name}.status", logic.question, STATUSES)
    if logic.outcomes and not logic.collects:
        yield Column(f"{logic.name}.outcome", logic.question, logic.outcomes)
    for value, _ in logic.answer_types:
        yield Column(f"{logic.name}.values.{value}", f"{value}, of the decision {logic.name}")
    yield Column(f"{logic.name}.missing", f"the facts that the decision {logic.name} lacks")


def _lines(column: Column) -> Iterator[str]:
    yield f"      - name: {_text(column.name)}"
    yield "        quote: true"
    yield f"        description: {_text(column.description)}"
    if column.is_key:
        yield "        data_tests: [not_null, unique]"
    elif column.values:
        yield "        data_tests:"
        yield "          - accepted_values:"
        yield f"              values: {json.dumps(list(column.values))}"


def _text(text: str) -> str:
    """A text of YAML, in which dbt finds no template."""
    for sign in SIGNS:
        text = text.replace(sign, f"{sign[0]} {sign[1]}")
    return json.dumps(text)
