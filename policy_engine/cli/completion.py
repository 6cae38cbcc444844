"""Shell completion of rulesets, decisions, readings with their choices, and date facts, from the rule files at hand.

Where the rule files cannot be read nothing is proposed, since a traceback must not appear while somebody types.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import typer

from policy_engine.errors import PolicyError
from policy_engine.frontend import loader
from policy_engine.language.rulesets import Ruleset
from policy_engine.language.types import Date, Instant

Proposals = list[tuple[str, str]]
"""Words that may be written, each with its meaning."""


def rulesets(context: typer.Context, incomplete: str) -> Proposals:
    """The rulesets."""
    return _beginning(incomplete, ((ruleset.id, ruleset.title) for ruleset in _loaded(context)))


def questions(context: typer.Context, incomplete: str) -> Proposals:
    """The rulesets; once one is written out, its decisions."""
    name, dot, _ = incomplete.partition(".")
    if not dot:
        return rulesets(context, incomplete)
    decisions = (
        (f"{ruleset.id}.{logic.name}", logic.question)
        for ruleset in _loaded(context)
        if ruleset.id == name
        for logic in ruleset.decisions
    )
    return _beginning(incomplete, decisions)


def tables(context: typer.Context, incomplete: str) -> Proposals:
    """The rulesets, each with the `=` before its table; the table itself is the shell's to complete."""
    return [(f"{name}=", title) for name, title in rulesets(context, incomplete)]


def readings(context: typer.Context, incomplete: str) -> Proposals:
    """The readings that can be switched, each with one of its choices."""
    choices = (
        (f"{reading.name}={choice.name}", choice.argument)
        for ruleset in _loaded(context)
        for reading in ruleset.readings
        if not reading.fixed
        for choice in reading.choices
    )
    return _beginning(incomplete, choices)


def date_facts(context: typer.Context, incomplete: str) -> Proposals:
    """The facts that are dates or instants."""
    facts = (
        (member.name, member.description)
        for ruleset in _loaded(context)
        for member in ruleset.facts.type.members
        if isinstance(member.type, Date | Instant)
    )
    return _beginning(incomplete, facts)


def _beginning(incomplete: str, found: Iterable[tuple[str, str]]) -> Proposals:
    """What begins with what is written already, each once."""
    return list({name: (name, help_) for name, help_ in found if name.startswith(incomplete)}.values())


def _loaded(context: typer.Context) -> Iterator[Ruleset]:
    """The rulesets of the folders that the command line names; those asked for alone where it names some."""
    given: dict[str, Any] = context.params
    # words stay in a context's `args` while an option lacks its value
    words = (given.get("question"), given.get("ruleset"), *(given.get("rulesets") or ()), *context.args)
    asked = {re.split("[.=]", word)[0] for word in words if word}  # of RULESET.DECISION or RULESET=FILE
    rules, schemas = Path(given.get("rules") or "rules"), Path(given.get("schemas") or "schemas")
    try:
        rulebook = loader.load([rules], schemas, lints=False)
    except PolicyError:
        return
    known = {ruleset.id for ruleset in rulebook.rulesets}
    yield from (r for r in rulebook.rulesets if r.id in asked or not asked & known)
