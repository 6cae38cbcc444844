"""What is offered inside an expression: names with their types, members, values of closed sets, functions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from policy_engine.frontend.context import Context
from policy_engine.frontend.lookups import VALUE_ON
from policy_engine.frontend.scope import Known, Scope
from policy_engine.language.functions import AGGREGATES, FUNCTIONS
from policy_engine.language.types import Record
from policy_engine.lsp.describing import Described, described_names, of_decision, of_fact, of_function, type_in_words
from policy_engine.lsp.offers import Offer, of_names, of_words, over
from policy_engine.lsp.partial import closed_values, type_of, unfinished, variables_at

WORDS: Mapping[str, str] = {
    "and": "true where both are",
    "or": "true where one is",
    "not": "the opposite",
    "in": "whether it equals an element of a list",
    "if": "`a if condition else b`",
    "else": "`a if condition else b`",
    "for": "`e for x in list if condition`, inside an aggregate",
    "true": "true",
    "false": "false",
    "as_of": "the day of the question",
}
DECISIONS = "decisions"


def expression_offers(context: Context, scope: Scope, before: str, after: str, quote: str = "") -> list[Offer]:
    """What may stand at a caret between two parts of an expression, which stands in quotes of YAML where there is a `quote`."""
    here = unfinished(before)
    variables = variables_at(before + after, len(before), scope)
    if here.owner is not None:
        return over(_members(context, scope, here.owner, variables), here.word)
    values = closed_values(here.compared, scope, variables)
    if here.quote:
        closing = "" if after.startswith(here.quote) else here.quote
        return over((Offer(value, "value", Described("a value"), value + closing) for value in values), here.word)
    sign = "'" if quote == '"' else '"'
    texts = [
        Offer(f"{sign}{value}{sign}", "value", Described(f"a value of `{here.compared}`"), first=True)
        for value in values
    ]
    return over([*texts, *_names(context, scope, variables)], here.word)


def _names(context: Context, scope: Scope, variables: Mapping[str, Known]) -> Iterator[Offer]:
    """Everything that an expression can name, or call."""
    for variable, (kind, _) in variables.items():
        yield Offer(variable, "variable", Described(type_in_words(kind), ("The element at hand.",)), first=True)
    yield from of_names(described_names(context))
    if scope.decisions:
        yield Offer(DECISIONS, "word", Described("outcomes and values of other decisions"), f"{DECISIONS}.")
    for function in (*FUNCTIONS, *AGGREGATES, VALUE_ON):
        yield Offer(function, "function", of_function(function) or Described(""), f"{function}(")
    for word, meaning in WORDS.items():
        yield Offer(word, "word", Described(meaning))


def _members(context: Context, scope: Scope, owner: str, variables: Mapping[str, Known]) -> list[Offer]:
    """What may stand behind the dot of an owner: a decision, its parts, columns of a table, members of a record."""
    head, _, decision = owner.partition(".")
    if owner == DECISIONS:
        return [Offer(name, "decision", of_decision(context, name) or Described("")) for name in scope.decisions]
    if head == DECISIONS and decision in scope.decisions:
        parts = scope.decisions[decision]() or {}
        return [Offer(part, "value", Described(type_in_words(kind))) for part, (kind, _) in parts.items()]
    table = scope.tables.get(owner.partition("[")[0]) if owner.endswith("]") else None
    if table is not None:
        return [Offer(each.name, "value", Described(type_in_words(each.type, each.unit))) for each in table.columns]
    kind = type_of(owner, scope, variables)
    where = f"`{kind.path}`" if isinstance(kind, Record) else ""
    return [Offer(m.name, "fact", of_fact(m, where)) for m in kind.members] if isinstance(kind, Record) else []


def placeholder_offers(context: Context, before: str, values: Iterable[str]) -> list[Offer]:
    """What may stand in a sentence behind a brace that is open: values of the decision, and names."""
    opened = before.rfind("{")
    if opened < 0 or "}" in before[opened:] or before[opened - 1 : opened] == "{":
        return []
    offers = [*of_words(values, "value", "a value of this decision"), *of_names(described_names(context))]
    return over(offers, before[opened + 1 :])
