"""What came of comparing two versions of a ruleset over the same table on the same day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from policy_engine.errors import CannotRun
from policy_engine.frontend.loader import Rulebook
from policy_engine.language.rulesets import Ruleset


@dataclass(frozen=True, slots=True)
class Example:
    """A row whose answer differs: its number, its key (None where there is none), what was and is, and the new reason."""

    row: int
    key: str | None
    old: str
    new: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """A way in which answers to a decision differ, in how many rows, with some of them.

    `part` is answer (status and outcome), rules, missing or values.NAME. Differences of answers and rules are counted for each
    pair of `old` and `new`; those of the other parts are counted together, and `old` and `new` are empty.
    """

    decision: str
    part: str
    old: str
    new: str
    rows: int
    examples: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class InvalidRows:
    """Rows that are invalid to `to` (both, old or new): how many, and of some number, key and the first that is wrong."""

    to: str
    rows: int
    examples: tuple[tuple[int, str | None, str], ...]


@dataclass(frozen=True, slots=True)
class OneSided:
    """A decision, or a value of one (`DECISION.NAME`), that only one version has: `only` is old or new."""

    name: str
    only: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """How the answers of two versions differ over `rows` rows, of which both decided `compared`.

    `decisions` are those that both versions have; `invalid` the rows that at least one of them could not decide.
    """

    old: Ruleset
    new: Ruleset
    as_of: date
    rows: int
    compared: int
    decisions: tuple[str, ...]
    invalid: tuple[InvalidRows, ...]
    one_sided: tuple[OneSided, ...]
    differences: tuple[Difference, ...]

    @property
    def differs(self) -> bool:
        """Whether an answer differs, or only one version gives it."""
        return bool(self.differences or self.one_sided or any(invalid.to != "both" for invalid in self.invalid))


def versions_of(rulebook: Rulebook, name: str, old: str | None, new: str | None) -> tuple[Ruleset, Ruleset]:
    """The two versions named, by default the last two; raises `CannotRun`."""
    versions = rulebook.versions(name)
    if len(versions) < 2:
        raise CannotRun(f"`{name}` has {len(versions) or 'no'} version{'s' * (len(versions) != 1)}; two are compared")
    found = _version(versions, old, -2), _version(versions, new, -1)
    if found[0] is found[1]:
        raise CannotRun(f"version {found[0].version} is the same as itself; name two versions with --old and --new")
    return found


def _version(versions: tuple[Ruleset, ...], wanted: str | None, default: int) -> Ruleset:
    if wanted is None:
        return versions[default]
    found = next((version for version in versions if version.version == wanted), None)
    if found is None:
        raise CannotRun(f"there is no version `{wanted}`; there is {', '.join(v.version for v in versions)}")
    return found


def shared_decisions(old: Ruleset, new: Ruleset) -> tuple[str, ...]:
    """The decisions that both versions have; raises `CannotRun` where there is none."""
    there = {logic.name for logic in old.decisions}
    shared = tuple(logic.name for logic in new.decisions if logic.name in there)
    if not shared:
        raise CannotRun(f"versions {old.version} and {new.version} of `{old.id}` have no decision in common")
    return shared


def one_sided(old: Ruleset, new: Ruleset) -> Iterator[OneSided]:
    """The decisions and values that only one version has; both as they are on a day."""
    before, after = _names(old), _names(new)
    for side, own, other in (("old", before, after), ("new", after, before)):
        for decision, values in own.items():
            if decision not in other:
                yield OneSided(decision, side)
            else:
                yield from (OneSided(f"{decision}.{name}", side) for name in values if name not in other[decision])


def _names(ruleset: Ruleset) -> Mapping[str, tuple[str, ...]]:
    """The decisions, each with the names of its values on the day."""
    return {logic.name: tuple(name for name, _ in logic.answer_types) for logic in ruleset.decisions}
