"""The sides that `policy compare OLD NEW` names: folders, files, versions, days, readings, git revisions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from policy_engine.cli.git_revisions import Revision, laid_out, revision_of
from policy_engine.cli.options import day_of_question
from policy_engine.diagnostics import Diagnostic, shown_text
from policy_engine.engine import Engine
from policy_engine.errors import CannotRun, RulesetError, UnknownReading
from policy_engine.language.date_texts import read_date
from policy_engine.language.readings import choices_of
from policy_engine.language.rulesets import Ruleset
from policy_engine.reports.comparison.side import Side

SCHEMAS = "schemas"


@dataclass(frozen=True, slots=True)
class AskedSide:
    """What is said of one side: what it is, in the words of who asks, and a version, a day and readings of its own."""

    text: str
    version: str | None = None
    as_of: date | None = None
    readings: Mapping[str, str] = field(default_factory=dict)

    @property
    def place(self) -> Path | Revision | None:
        """The files that are named; None where these are the rules at hand."""
        if not self.text:
            return None
        return revision_of(self.text) or (Path(self.text) if Path(self.text).exists() else None)

    @property
    def ruleset(self) -> str | None:
        """The ruleset that is named; None where files or a day are."""
        return None if self.place is not None or _day(self.text) is not None else self.text.partition("@")[0] or None


@dataclass(frozen=True, slots=True)
class Asked:
    """What a comparison is asked for: both sides, the rulesets that are wanted (all where none), the day (today where None).

    `tables` are the rulesets that tables are given for.

    `rules` and `schemas` are the folders at hand.

    `schemas` are None where none are named; then those beside a folder of rules are taken, or else `schemas`.
    """

    old: AskedSide
    new: AskedSide
    rulesets: Sequence[str]
    tables: Sequence[str]
    as_of: str | None
    rules: Path
    schemas: Path | None

    @property
    def sides(self) -> tuple[AskedSide, AskedSide]:
        """The older and the newer side."""
        return self.old, self.new


@dataclass(frozen=True, slots=True)
class Pairs:
    """The two sides of each ruleset that both sides have, and the rulesets that only one has."""

    pairs: tuple[tuple[Side, Side], ...]
    only_old: tuple[str, ...] = ()
    only_new: tuple[str, ...] = ()


def pairs_of(asked: Asked, folder: Path) -> Pairs:
    """Load both sides; `folder` is for what is taken out of git. Raises `PolicyError`s."""
    named = [side.ruleset for side in asked.sides]
    for name in named:
        _refuse_place(name)
    wanted = list(dict.fromkeys([*asked.rulesets, *(name for name in named if name)]))
    if asked.old.place is None and asked.new.place is None:
        wanted = wanted or list(asked.tables)
        pair = _of_rules_at_hand(asked, _one_ruleset(asked, wanted), wanted[0])
        _refuse_unused(asked, [pair])
        return Pairs((pair,))
    if not asked.new.text:
        raise CannotRun(
            f"`{shown_text(asked.old.text)}` is to be compared with what? name a second side: a folder, `main:rules`"
        )
    engines = [
        _engine(asked, side, wanted, folder / name) for side, name in zip(asked.sides, ("old", "new"), strict=True)
    ]
    names = [list(dict.fromkeys(ruleset.id for ruleset in engine.rulesets)) for engine in engines]
    shared = [name for name in names[1] if name in names[0] and (not wanted or name in wanted)]
    if not shared:
        raise CannotRun(f"the two sides have no ruleset in common: {' and '.join(_told(asked, names))}")
    only = [tuple(n for n in own if n not in other and not wanted) for own, other in (names, names[::-1])]
    pairs = tuple(_with_readings(asked, _pair(asked, engines, name)) for name in shared)
    _refuse_unused(asked, pairs)
    return Pairs(pairs, only[0], only[1])


def _refuse_place(name: str | None) -> None:
    """Raises `CannotRun` for what can only be meant as a file or folder, which is not there."""
    if name is not None and not name.isidentifier():
        raise CannotRun(f"there is no file or folder `{shown_text(name)}`, and no ruleset can be called so")


def _told(asked: Asked, names: Sequence[Sequence[str]]) -> Iterator[str]:
    for side, own in zip(asked.sides, names, strict=True):
        yield f"`{shown_text(side.text)}` has {', '.join(own) or 'none'}"


def _engine(asked: Asked, side: AskedSide, wanted: Sequence[str], folder: Path) -> Engine:
    """The rules of a side; raises `PolicyError`s, of which those about a git revision name it."""
    place = side.place
    if not isinstance(place, Revision):
        rules = asked.rules if place is None else place
        return Engine.load(rules, _schemas(asked, rules), only=wanted)
    rules, schemas = laid_out(place, asked.schemas or Path(SCHEMAS), folder)
    try:
        return Engine.load(rules, schemas, only=wanted)
    except RulesetError as error:
        raise RulesetError([_of_revision(one, folder, place) for one in error.diagnostics]) from None


def _of_revision(diagnostic: Diagnostic, folder: Path, place: Revision) -> Diagnostic:
    """A diagnostic whose place is told by the revision, not by the folder that the files were laid out in."""
    path = diagnostic.span.path.replace(f"{folder}/", f"{place.revision}:")
    return replace(diagnostic, span=replace(diagnostic.span, path=path))


def _schemas(asked: Asked, rules: Path) -> Path:
    """The schemas that are named, or those beside the rules, or those of the folder at hand."""
    if asked.schemas is not None:
        return asked.schemas
    beside = (rules if rules.is_dir() else rules.parent).resolve().parent / SCHEMAS
    return beside if rules != asked.rules and beside.is_dir() else Path(SCHEMAS)


def _pair(asked: Asked, engines: Sequence[Engine], name: str) -> tuple[Side, Side]:
    old, new = (_in_files(asked, side, engine, name) for side, engine in zip(asked.sides, engines, strict=True))
    return old, new


def _in_files(asked: Asked, side: AskedSide, engine: Engine, name: str) -> Side:
    """A ruleset of files: the version that is named, the only one, or the one in force on the day."""
    version, own_day = _version_and_day(side, engine, name)
    day = own_day or day_of_question(engine, name, asked.as_of)
    shown = shown_text(side.text) if side.place is not None else ""
    return Side(_version(engine, name, version, day), day, {}, shown)


def _version(engine: Engine, name: str, version: str | None, day: date) -> Ruleset:
    versions = engine.rulebook.versions(name)
    if version is not None:
        return version_named(versions, version)
    return versions[0] if len(versions) == 1 else engine.rulebook.in_force(name, day)


def _one_ruleset(asked: Asked, wanted: Sequence[str]) -> Engine:
    """The rules at hand with the one ruleset that is wanted; raises `CannotRun` where there is none or more."""
    if len(wanted) != 1:
        told = f"there are {', '.join(map(shown_text, wanted))}" if wanted else "there is none"
        raise CannotRun(f"one ruleset of the rules at hand is compared, and {told}; name it, or two folders of rules")
    return Engine.load(asked.rules, asked.schemas or Path(SCHEMAS), only=wanted)


def _of_rules_at_hand(asked: Asked, engine: Engine, name: str) -> tuple[Side, Side]:
    """Two versions of one ruleset, or one version on two days or under two readings."""
    said = [_version_and_day(side, engine, name) for side in asked.sides]
    days = [day or day_of_question(engine, name, asked.as_of) for _, day in said]
    if days[0] != days[1] or asked.old.readings != asked.new.readings:
        found = [_version(engine, name, version, day) for (version, _), day in zip(said, days, strict=True)]
    else:
        found = list(two_versions(engine.rulebook.versions(name), name, said[0][0], said[1][0]))
    return _with_readings(asked, (Side(found[0], days[0]), Side(found[1], days[1])))


def _with_readings(asked: Asked, pair: tuple[Side, Side]) -> tuple[Side, Side]:
    """The sides with those of the readings said that their rulesets have."""
    old, new = (
        replace(side, readings=_own_readings(side.ruleset, said.readings))
        for side, said in zip(pair, asked.sides, strict=True)
    )
    return old, new


def _own_readings(ruleset: Ruleset, said: Mapping[str, str]) -> dict[str, str]:
    """Those of the readings that a ruleset has; raises `UnknownReading` for a choice that it has not."""
    free = {reading.name for reading in ruleset.readings if not reading.fixed}
    own = {name: choice for name, choice in said.items() if name in free}
    choices_of(ruleset, own)
    return own


def _refuse_unused(asked: Asked, pairs: Sequence[tuple[Side, Side]]) -> None:
    """Raises `UnknownReading` for a reading of a side that no ruleset of it has."""
    for place, said in enumerate(asked.sides):
        used = {name for pair in pairs for name in pair[place].readings}
        both = {name for pair in pairs for side in pair for name in side.readings}
        for name, choice in said.readings.items():
            is_of_both = asked.sides[1 - place].readings.get(name) == choice
            if name not in (both if is_of_both else used):
                raise UnknownReading(
                    f"no ruleset that is compared has a reading `{shown_text(name)}` that can be switched"
                )


def _version_and_day(side: AskedSide, engine: Engine, name: str) -> tuple[str | None, date | None]:
    """What `RULESET@...`, or a day alone, and options say; a version that is called like a day is the version.

    Raises `NotInForce` where no version is in force on the day of `RULESET@DAY`.
    """
    said = side.text.partition("@")[2] if side.place is None else ""
    day = _day(side.text) or side.as_of
    if not said:
        return side.version, day
    if any(version.version == said for version in engine.rulebook.versions(name)):
        return said, day
    own_day = _day(said)
    if own_day is None:
        return version_named(engine.rulebook.versions(name), said).version, None
    return side.version or engine.rulebook.in_force(name, own_day).version, own_day


def _day(text: str) -> date | None:
    try:
        return read_date(text)
    except ValueError:
        return None


def two_versions(versions: tuple[Ruleset, ...], name: str, old: str | None, new: str | None) -> tuple[Ruleset, Ruleset]:
    """The two versions named, by default the last two; raises `CannotRun`."""
    if len(versions) < 2:
        raise CannotRun(
            f"`{name}` has 1 version; two are compared, or one on two days (--new-as-of) or under two readings (--new-reading)"
        )
    found = version_named(versions, old, -2), version_named(versions, new, -1)
    if found[0] is found[1]:
        raise CannotRun(f"version {found[0].version} is the same as itself; name two versions with --old and --new")
    return found


def version_named(versions: tuple[Ruleset, ...], wanted: str | None, default: int = -1) -> Ruleset:
    """The version of a name, or the one at a place by default; raises `CannotRun`."""
    if wanted is None:
        return versions[default]
    found = next((version for version in versions if version.version == wanted), None)
    if found is None:
        raise CannotRun(
            f"there is no version `{shown_text(wanted)}`; there is {', '.join(v.version for v in versions)}"
        )
    return found
