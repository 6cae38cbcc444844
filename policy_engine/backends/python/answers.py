"""The text of an answer in generated code: its ruling, its values, and the values that the sentences of its reason name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any

from policy_engine.backends.python.expressions import Expressions
from policy_engine.backends.python.runtime import form_of, shown_as
from policy_engine.backends.python.writer import tuple_of
from policy_engine.language.decisions import Ruling, Status
from policy_engine.language.mentions import template_expressions
from policy_engine.language.rulesets import DecisionLogic, Rule, Template
from policy_engine.language.rulings import Applied
from policy_engine.language.types import Type

NOTHING = "()"
"""The text of no values."""

MOST_COMBINATIONS = 1_000
"""Of collected rules, so many have their rulings kept at hand."""


def own_values(to: Expressions, logic: DecisionLogic, codes: Mapping[str, str]) -> str:
    """The text of an answer's values in the order of their names, in the form that callers see."""
    types = dict(logic.value_types)
    return tuple_of(_seen(to, codes.get(name), types[name], shown) for name, shown in logic.answer_types)


def _seen(to: Expressions, code: str | None, kind: Type, shown: Type) -> str:
    """A value of a type in the form of another, which is the same or has fewer places."""
    form = form_of(kind) if kind == shown else partial(shown_as, kind=kind, shown=shown)
    return (code or "None") if code is None or form is None else _in_form(to, code, form)


def kept_values(to: Expressions, sentences: Iterable[Template]) -> str:
    """The text of the values that sentences name, as an answer keeps them."""
    parts = [part.tree for sentence in sentences for part in template_expressions(sentence)]
    return tuple_of(_kept(to, to.code(part), part.type) for part in parts)


def _kept(to: Expressions, code: str, kind: Type) -> str:
    form = form_of(kind, decimals=False)
    return to.writer.named(code) if form is None else _in_form(to, code, form)


def _in_form(to: Expressions, code: str, form: Callable[[Any], Any]) -> str:
    value = to.writer.named(code)
    return f"None if {value} is None else {to.bind(form)}({value})"


def names_of(sentences: Iterable[Template]) -> tuple[str, ...]:
    """The expressions in sentences; generated code is the same for sentences that have the same ones."""
    return tuple(part.text for sentence in sentences for part in template_expressions(sentence))


def rulings_by_bits(ruling: Callable[[Status, Applied], Ruling], rules: Sequence[Rule]) -> Callable[[int], Ruling]:
    """The rulings of a collect decision by the bits of the rules that apply; the lowest bit says that it is undetermined."""

    @lru_cache(MOST_COMBINATIONS)
    def by_bits(bits: int) -> Ruling:
        applied = [(rule.id, rule.then) for bit, rule in enumerate(rules, start=1) if bits >> bit & 1]
        return ruling(Status.UNDETERMINED if bits & 1 else Status.DECIDED, applied)

    return by_bits
