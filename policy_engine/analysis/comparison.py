"""Two versions of a ruleset over the same accounts on the same day: which answers would change, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from policy_engine.engine import Engine
from policy_engine.errors import FactsError, PolicyError
from policy_engine.frontend.facts_files import Line
from policy_engine.frontend.loader import Rulebook
from policy_engine.language.decisions import Decision
from policy_engine.language.rulesets import ALWAYS, Ruleset

EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class Change:
    """An answer that differs: the record's line and key, and both answers."""

    row: int
    key: object
    old: Decision
    new: Decision


@dataclass(slots=True)
class Comparison:
    """How many records were compared, how many were invalid to either version, and how answers moved from one to the other.

    `moves` counts, for each decision, pairs of outcomes; `changes` holds some examples of each pair that differs.
    """

    old: Ruleset
    new: Ruleset
    compared: int = 0
    invalid: int = 0
    moves: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    changes: dict[tuple[str, str, str], list[Change]] = field(default_factory=dict)


def compare(old: Ruleset, new: Ruleset, lines: Iterable[Line], as_of: date) -> Comparison:
    """Decide every record by both versions as if each were in force on the day; decisions that only one has are left out."""
    before, after = _alone(old), _alone(new)
    found = Comparison(old, new)
    key = next((member.name for member in new.facts.type.members if member.key), None)
    for line in lines:
        answers = _both(before, after, line, as_of, old.id)
        if answers is None:
            found.invalid += 1
            continue
        found.compared += 1
        named = line.facts.get(key) if key else None
        for name, first, second in answers:
            move = (name, shown(first), shown(second))
            found.moves[move] += 1
            examples = found.changes.setdefault(move, [])
            if move[1] != move[2] and len(examples) < EXAMPLES:
                examples.append(Change(line.number, named, first, second))
    return found


def _alone(ruleset: Ruleset) -> Engine:
    """An engine that knows one version only, and holds it in force always."""
    return Engine(Rulebook((replace(ruleset, period=ALWAYS),), ()))


def _both(
    before: Engine, after: Engine, line: Line, as_of: date, name: str
) -> list[tuple[str, Decision, Decision]] | None:
    try:
        if line.fault is not None:
            return None
        first, second = (engine.decide_all(name, line.facts, as_of=as_of) for engine in (before, after))
    except FactsError:
        return None
    return [(decision, first[decision], second[decision]) for decision in first if decision in second]


def shown(decision: Decision) -> str:
    """An answer in a word or two: its outcome, or its status where it has none."""
    match decision.outcome:
        case None:
            return str(decision.status)
        case tuple():
            return ", ".join(decision.outcome) or "(none)"
        case outcome:
            return outcome


def versions_of(rulebook: Rulebook, name: str, old: str | None, new: str | None) -> tuple[Ruleset, Ruleset]:
    """The two versions named, by default the last two; raises `PolicyError`."""
    versions = rulebook.versions(name)
    if len(versions) < 2:
        raise PolicyError(f"`{name}` has {len(versions) or 'no'} version{'s' * (len(versions) != 1)}; two are compared")
    return _version(versions, old, -2), _version(versions, new, -1)


def _version(versions: tuple[Ruleset, ...], wanted: str | None, default: int) -> Ruleset:
    if wanted is None:
        return versions[default]
    found = next((version for version in versions if version.version == wanted), None)
    if found is None:
        raise PolicyError(f"there is no version `{wanted}`; there is {', '.join(v.version for v in versions)}")
    return found


def differing(comparison: Comparison) -> Iterator[tuple[tuple[str, str, str], int]]:
    """The moves from one outcome to another, the most frequent first."""
    moves: Mapping[tuple[str, str, str], int] = comparison.moves
    ranked = sorted(moves.items(), key=lambda entry: (-entry[1], entry[0]))
    return ((move, count) for move, count in ranked if move[1] != move[2])
