"""`policy decide` and `policy explain`: one answer, or all of a ruleset's, with the reason; and how it came about."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated

import typer

from policy_engine.cli.options import (
    RULES,
    SCHEMAS,
    AsOfOption,
    FactsOption,
    JsonOption,
    QuestionArgument,
    ReadingOption,
    RulesOption,
    SchemasOption,
    day_of_question,
    facts_from,
    read_readings,
)
from policy_engine.cli.show import answer_text, console, explanation_tree, safe
from policy_engine.engine import Engine
from policy_engine.errors import FactsError
from policy_engine.reports.explanations import Reader, Section, as_markdown, as_text, explained, withheld_from_customers


def decide(
    question: QuestionArgument,
    facts: FactsOption,
    as_of: AsOfOption = None,
    reading: ReadingOption = None,
    as_json: JsonOption = False,
    rules: RulesOption = RULES,
    schemas: SchemasOption = SCHEMAS,
) -> None:
    """Decide one question about facts, or every question of a ruleset."""
    ruleset, _, name = question.partition(".")
    engine = Engine.load(rules, schemas, only=[ruleset])
    day = day_of_question(engine, ruleset, as_of)
    given, readings = facts_from(facts), read_readings(reading)
    if name:
        answers = {name: engine.decide(question, given, as_of=day, readings=readings)}
    else:
        answers = engine.decide_all(ruleset, given, as_of=day, readings=readings)
    if as_json:
        _echo_json({decision: answer.to_dict() for decision, answer in answers.items()}, name)
        return
    for answer in answers.values():
        console().print(answer_text(answer, engine.ruleset(ruleset, day)), end="")


def explain(
    question: QuestionArgument,
    facts: FactsOption,
    as_of: AsOfOption = None,
    reading: ReadingOption = None,
    reader: Annotated[
        Reader | None,
        typer.Option("--for", help="Whom it is for; a tree of all steps if left out (with --markdown: auditor)."),
    ] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown.")] = False,
    as_json: JsonOption = False,
    rules: RulesOption = RULES,
    schemas: SchemasOption = SCHEMAS,
) -> None:
    """Decide, and show how: every rule, every sub-expression, its value, and where the value came from."""
    ruleset, _, name = question.partition(".")
    engine = Engine.load(rules, schemas, only=[ruleset])
    day = day_of_question(engine, ruleset, as_of)
    given, readings = facts_from(facts), read_readings(reading)
    version = engine.ruleset(ruleset, day)
    names = [name] if name else [logic.name for logic in version.decisions]
    try:
        explanations = {n: engine.explain(f"{ruleset}.{n}", given, as_of=day, readings=readings) for n in names}
    except FactsError as error:
        if reader is Reader.CUSTOMER:
            raise withheld_from_customers(error, version) from None
        raise
    if reader is None and markdown:
        reader = Reader.AUDITOR
    if reader is not None:
        sections = {n: explained(explanation, version, reader) for n, explanation in explanations.items()}
        _print_sections(sections, name, markdown, as_json)
        return
    if as_json:
        _echo_json({decision: explanation.to_dict() for decision, explanation in explanations.items()}, name)
        return
    for explanation in explanations.values():
        console().print(answer_text(explanation.decision, version), end="")
        console().print(explanation_tree(explanation))


def _echo_json(answers: Mapping[str, object], name: str) -> None:
    """The answer to the decision asked for as JSON, or all answers by name where a whole ruleset was."""
    typer.echo(json.dumps(answers[name] if name else answers))


def _print_sections(sections: dict[str, tuple[Section, ...]], name: str, markdown: bool, as_json: bool) -> None:
    """Print explanations for one reader as JSON, Markdown or text, without control characters from files."""
    if as_json:
        _echo_json({decision: [section.to_dict() for section in parts] for decision, parts in sections.items()}, name)
        return
    write = as_markdown if markdown else as_text
    for parts in sections.values():
        for line in write(parts).split("\n")[:-1]:
            typer.echo(safe(line).plain)
