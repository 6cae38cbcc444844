"""Answers of a compiled question: by its generated code, or by the reference where facts are not surely plain and valid."""

from __future__ import annotations

import decimal
from datetime import date
from functools import partial
from typing import Any

from policy_engine.backends.python import NotPlain, Program, Recording, excerpt
from policy_engine.compiled import CompiledQuestion
from policy_engine.errors import EngineFault, FactsError, Violation
from policy_engine.facts.foreign import Facts
from policy_engine.facts.plain import is_plain
from policy_engine.facts.validation import valid_facts
from policy_engine.language.decisions import Decision
from policy_engine.language.rounding import EXACT
from policy_engine.language.traces import Explanation, Trace
from policy_engine.language.values import RecordValue
from policy_engine.reference.deciding import Evaluation, check_facts, explanation_of, trace_of
from policy_engine.reference.recorded import RecordedEvaluation


def decided(compiled: CompiledQuestion, decision: str, facts: Facts, as_of: date, trusted: bool) -> Decision:
    """The answer to `ruleset.decision`; raises `FactsError` and `EngineFault`."""
    try:
        if trusted or compiled.passes(facts, as_of):
            return compiled.answer(facts, as_of)  # type: ignore[no-any-return]  # the function of one decision
    except Exception as error:
        _raise_fault(error, compiled, facts, as_of)
    with decimal.localcontext(EXACT):
        return _reference(compiled, facts, as_of).decision(decision.partition(".")[2])


def all_decided(compiled: CompiledQuestion, facts: Facts, as_of: date, trusted: bool) -> dict[str, Decision]:
    """Every answer of a ruleset by name, in file order; raises the same."""
    try:
        if trusted or compiled.passes(facts, as_of):
            return compiled.answer(facts, as_of)  # type: ignore[no-any-return]  # the function of all decisions
    except Exception as error:
        _raise_fault(error, compiled, facts, as_of)
    with decimal.localcontext(EXACT):
        evaluation = _reference(compiled, facts, as_of)
        return {logic.name: evaluation.decision(logic.name) for logic in compiled.ruleset.decisions}


def decided_with_trace(compiled: CompiledQuestion, decision: str, facts: Facts, as_of: date) -> Explanation:
    """The answer to `ruleset.decision` with its trace; raises the same."""
    name = decision.partition(".")[2]
    try:
        if compiled.passes(facts, as_of):
            return explained(compiled.program, name, facts, as_of)
    except Exception as error:
        _raise_fault(error, compiled, facts, as_of)
    with decimal.localcontext(EXACT):
        return explanation_of(_reference(compiled, facts, as_of), name)


def violations_of(compiled: CompiledQuestion, facts: Facts, as_of: date) -> tuple[Violation, ...]:
    """The violations of the schema and of the checks, in document order; empty where facts are valid."""
    if passes(compiled, facts, as_of):
        return ()
    try:
        with decimal.localcontext(EXACT):
            _reference(compiled, facts, as_of)
    except FactsError as error:
        return error.violations
    return ()


def passes(compiled: CompiledQuestion, facts: Facts, as_of: date) -> bool | None:
    """Whether facts are valid; a no is sure only of plain JSON that the schema accepts; None where the reference must tell."""
    try:
        return compiled.passes(facts, as_of)
    except Exception as error:
        _raise_fault(error, compiled, facts, as_of)
    return None


def _raise_fault(error: Exception, compiled: CompiledQuestion, facts: object, as_of: date) -> None:
    """Raise `EngineFault` for what generated code raised over facts that it must be able to decide.

    Return where the reference has to decide: over subclasses of JSON types, which may do anything, values that are no JSON, and
    facts that a caller said to be valid and are not.
    """
    if isinstance(error, NotPlain):
        return
    if isinstance(error, RecursionError | MemoryError):
        raise error
    try:
        if not is_plain(facts) or not compiled.passes(facts, as_of):
            return
    except NotPlain:
        return
    except Exception as again:
        error = again
    about = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    raise EngineFault(f"generated code failed in {excerpt(error)}\n{about}") from error


def _reference(compiled: CompiledQuestion, facts: Facts, as_of: date) -> Evaluation:
    """The reference over facts that jsonschema and the ruleset's checks find valid; raises `FactsError`."""
    choices = compiled.program.choices
    evaluation = Evaluation(compiled.ruleset, valid_facts(facts, compiled.ruleset.facts), as_of, choices)
    check_facts(evaluation)
    return evaluation


def explained(program: Program, name: str, facts: Any, as_of: date) -> Explanation:
    """A decision about valid facts in JSON types, and its trace: recorded now, and made into steps when somebody looks."""
    recording = program.record(name, facts, as_of)
    return Explanation(recording.decision, partial(_trace, program, recording, name, as_of))


def _trace(program: Program, recording: Recording, name: str, as_of: date) -> Trace:
    with decimal.localcontext(EXACT):
        facts = recording.record(program.ruleset.facts.type)
        assert isinstance(facts, RecordValue)
        recorded, ruleset, choices = recording.values(), program.ruleset, program.choices
        evaluation = RecordedEvaluation(ruleset, facts, as_of, choices, recorded=recorded, forms=program.forms)
        return trace_of(evaluation, name)
