"""`policy decide` and `policy explain`: one answer, or all of a ruleset's, with the reason; and how it came about."""

from __future__ import annotations

import json

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
from policy_engine.cli.show import answer_text, console, explanation_tree
from policy_engine.engine import Engine


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
    engine = Engine.load(rules, schemas)
    ruleset, _, name = question.partition(".")
    day = day_of_question(engine, ruleset, as_of)
    given, readings = facts_from(facts), read_readings(reading)
    if name:
        answers = {name: engine.decide(question, given, as_of=day, readings=readings)}
    else:
        answers = engine.decide_all(ruleset, given, as_of=day, readings=readings)
    if as_json:
        told = {decision: answer.to_dict() for decision, answer in answers.items()}
        typer.echo(json.dumps(told[name] if name else told, ensure_ascii=False))
        return
    for answer in answers.values():
        console().print(answer_text(answer, engine.ruleset(ruleset, day)), end="")


def explain(
    question: QuestionArgument,
    facts: FactsOption,
    as_of: AsOfOption = None,
    reading: ReadingOption = None,
    as_json: JsonOption = False,
    rules: RulesOption = RULES,
    schemas: SchemasOption = SCHEMAS,
) -> None:
    """Decide, and show how: every rule, every sub-expression, its value, and where the value came from."""
    engine = Engine.load(rules, schemas)
    ruleset, _, name = question.partition(".")
    day = day_of_question(engine, ruleset, as_of)
    given, readings = facts_from(facts), read_readings(reading)
    names = [name] if name else [logic.name for logic in engine.ruleset(ruleset, day).decisions]
    told = {n: engine.explain(f"{ruleset}.{n}", given, as_of=day, readings=readings) for n in names}
    if as_json:
        shown = {decision: explanation.to_dict() for decision, explanation in told.items()}
        typer.echo(json.dumps(shown[name] if name else shown, ensure_ascii=False))
        return
    for explanation in told.values():
        console().print(answer_text(explanation.decision, engine.ruleset(ruleset, day)), end="")
        console().print(explanation_tree(explanation))
