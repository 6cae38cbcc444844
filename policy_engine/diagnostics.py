"""What is said to authors about their files: one table of codes and wordings, so that it stays one voice.

A message is one lower-case line without a full stop; the author's text stands in backticks. To add a diagnostic, add a row
here, a case to `tests/diagnostics/` and a page to `docs/diagnostics/`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from types import MappingProxyType

from policy_engine.fixes import Advice, Fix, Hint, is_slip
from policy_engine.source import Authored, Span


class Severity(StrEnum):
    """Whether a ruleset with this fault may be used: not with an error; with a warning it may."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Related:
    """Another place that a diagnostic is about, and what stands there."""

    span: Span
    label: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One fault: what kind (`code`), where, in one sentence, and what to do (`hint`); `excerpt` is the marked line.

    `fix` does what the hint says, where that is exact; loading leaves out one that the files as they stand do not allow.
    """

    code: str
    message: str
    span: Span
    hint: str | None = None
    related: tuple[Related, ...] = ()
    severity: Severity = Severity.ERROR
    excerpt: str | None = None
    fix: Fix | None = None

    def to_dict(self) -> dict[str, object]:
        """The diagnostic in JSON types."""
        return {
            "code": self.code,
            "severity": str(self.severity),
            "message": self.message,
            "path": self.span.path,
            "line": self.span.line,
            "column": self.span.column,
            "length": self.span.length,
            "hint": self.hint,
            "related": [{"place": str(r.span), "label": r.label} for r in self.related],
            "fix": None if self.fix is None else self.fix.to_dict(),
        }


@dataclass(frozen=True, slots=True)
class Wording:
    """What a code says, and, where it is always the same, what to do; both with placeholders for the author's words."""

    message: str
    hint: str | None = None
    severity: Severity = Severity.ERROR


def _warning(message: str, hint: str | None = None) -> Wording:
    return Wording(message, hint, Severity.WARNING)


_FILES = {
    "file-unreadable": Wording("the file cannot be read: {why}"),
    "file-too-large": Wording("the file has {size} bytes, more than the {limit} allowed", "split it"),
    "file-not-text": Wording("the file is not UTF-8 text: {why}", "save it as UTF-8"),
    "file-empty": Wording("the file holds nothing", "a rule file begins with `ruleset: a_name`"),
    "yaml-syntax": Wording("this is not YAML: {why}"),
    "yaml-tab": Wording("a tab cannot indent", "indent with blanks"),
    "yaml-quoted-start": Wording(
        "YAML takes the quotes for the whole text, and more follows", "quote the whole expression: `{better}`"
    ),
    "yaml-special-start": Wording(
        "YAML gives `{sign}` a meaning of its own at the start of a text", "quote the whole text"
    ),
    "yaml-split": Wording("YAML cut this text at a comma or bracket", "quote the whole text"),
    "yaml-colon": Wording("YAML reads `: ` as a key and its value", "quote the whole text"),
    "yaml-comment": Wording("YAML reads ` #` as the start of a comment, so `{lost}` is lost", "quote the whole text"),
    "curly-quotes": Wording("YAML takes curly quotes for letters, so they would be part of `{text}`"),
    "yaml-duplicate-key": Wording("the key `{key}` stands here twice", "keep one of them"),
    "yaml-key": Wording("a key must be a plain text", "leave the brackets out, or quote it"),
    "yaml-merge": Wording("`<<` has no meaning in YAML 1.2", "write the keys out"),
    "yaml-tag": Wording("tags such as `{tag}` are not used here", "leave it out"),
    "yaml-alias": Wording(
        "there is no anchor `{name}` before this place", "write `&{name}` before it, or quote the text"
    ),
    "yaml-too-big": Wording(
        "with its aliases written out this file has more than {limit} parts", "write fewer aliases"
    ),
    "yaml-too-deep": Wording("this is nested more than {limit} levels deep"),
    "yaml-not-finite": Wording("`{text}` is no finite number", "quote it where the text is meant"),
    "yaml-several-documents": Wording("a file holds one document", "put what follows `---` into a file of its own"),
    "yaml-control-character": Wording("the character {character} is not allowed in a file", "delete it"),
}
_SHAPES = {
    "unknown-key": Wording("{thing} has no key `{key}`"),
    "outdented-key": Wording(
        "`{key}` belongs to the decision `{decision}` above, and stands too far left",
        "indent it as far as the decision's `question`",
    ),
    "comma-missing": Wording("`{text}` is one item of the list, and {words} are meant to be several"),
    "missing-key": Wording("{thing} lacks the key `{key}`", "{meaning}"),
    "wrong-kind": Wording("{what} must be {expected}"),
    "wrong-name": Wording("`{name}` cannot be a name", "use {form}"),
    "reserved-name": Wording("`{name}` has a meaning of its own and cannot be a name here", "choose another"),
    "bad-time": Wording("`{text}` is not a time of day", "write it as 09:30"),
    "bad-date": Wording("`{text}` is not a date", "write it as 2025-02-28"),
    "bad-period": Wording("the period ends on {end}, not after its start {start}", "`until` is the first day outside"),
    "unknown-timezone": Wording("`{name}` is no time zone", "use an IANA name such as America/New_York"),
    "unknown-language": Wording("`{name}` is no language that is known here", "use a tag such as en, de or fr-CH"),
    "empty-group": Wording("`{kind}` needs at least one condition"),
    "one-of-keys": Wording("{thing} needs exactly one of {keys}"),
    "needless-key": Wording("`{key}` has no meaning in {thing}"),
}
_SCHEMAS = {
    "schema-missing": Wording("there is no schema `{name}`", "it would be {path}"),
    "schema-not-json": Wording("this is not JSON: {why}"),
    "schema-invalid": Wording("at {pointer}: {why}"),
    "schema-account": Wording("at {pointer}: this cannot be the account that a record of the decision log is about"),
    "schema-keyword": Wording("at {pointer}: the keyword `{keyword}` is not supported"),
    "schema-reference": Wording(
        "at {pointer}: `{reference}` refers outside this file, or to no schema in it", 'use `"$ref": "#/$defs/name"`'
    ),
    "schema-too-big": Wording(
        "at {pointer}: with its references written out this schema has more than {limit} members", "refer to less"
    ),
    "schema-recursive": Wording(
        "at {pointer}: `{reference}` refers to itself", "write out as many levels as the facts have"
    ),
    "schema-open": Wording(
        'at {pointer}: an object must say `"additionalProperties": false`', "so that a misspelt fact is found"
    ),
    "schema-type": Wording("at {pointer}: a type is needed, one of {types}"),
    "schema-null": Wording(
        "at {pointer}: a fact has one type, and null is none", "leave the fact out of `required` instead"
    ),
    "schema-bounds": Wording(
        "at {pointer}: a number needs `minimum` and `maximum` that prove that 18 digits are enough",
        "write both, as narrow as is true",
    ),
    "schema-places": Wording("at {pointer}: a decimal needs `multipleOf` to say its places", "such as 0.01 for two"),
    "schema-name": Wording(
        "at {pointer}: no expression could use the name `{name}`",
        "use small letters, digits and underscores, and no word that is taken",
    ),
    "schema-format": Wording(
        "at {pointer}: the format `{format}` is not supported", "supported are date, date-time and time"
    ),
    "schema-pattern": Wording("at {pointer}: the pattern `{pattern}` cannot be used: {why}", "{hint}"),
    "schema-contradiction": Wording("at {pointer}: {why}", "correct one of them"),
    "schema-enum": Wording("at {pointer}: an enum must list texts, each once"),
    "schema-order": Wording(
        "at {pointer}: `x-ordered-by` names a required date, date-time or number of the list's objects"
    ),
}
_NAMES = {
    "unknown-name": Wording("there is no fact, parameter, definition or reading `{name}`"),
    "unknown-function": Wording("there is no function `{name}`"),
    "unknown-member": Wording("{record} has no member `{name}`"),
    "unknown-decision": Wording("there is no decision `{name}`"),
    "unknown-decision-part": Wording("the decision `{decision}` has no `{name}`"),
    "unknown-table": Wording("there is no look-up table `{name}`"),
    "unknown-column": Wording("the table `{table}` has no column `{name}`"),
    "unknown-source": Wording("there is no source `{name}`"),
    "unknown-reading": Wording("there is no reading `{name}`"),
    "unknown-choice": Wording("the reading has no choice `{name}`"),
    "unknown-outcome": Wording("`{name}` is not among the outcomes of the decision"),
    "unknown-legend-key": Wording("`{name}` is neither in the legend nor an outcome"),
    "unknown-library": Wording(
        "there is no library `{name}`", "a library is a rule file that begins with `library: {name}`"
    ),
    "unknown-part": Wording("the library `{library}` has no part `{name}`"),
    "name-clash": Wording("`{name}` already names a {kind}", "one of them needs another name"),
    "shadowed-name": Wording("`{name}` already names a {kind}", "give the variable another name"),
    "duplicate-id": Wording("the id `{name}` stands here twice", "give each its own"),
    "chain-too-long": Wording(
        "this stands on a chain of more than {limit} definitions and decisions", "take some of them together"
    ),
    "cycle": Wording("this depends on itself: {path}"),
}
_EXPRESSIONS = {
    "expression-empty": Wording("an expression is missing here"),
    "expression-syntax": Wording("this is not an expression: {why}"),
    "expression-too-long": Wording(
        "the expression has more than {limit} characters", "give its parts names in `definitions`"
    ),
    "expression-too-deep": Wording(
        "the expression is nested more than {limit} levels deep", "give its parts names in `definitions`"
    ),
    "expression-not-allowed": Wording("{what} cannot be used in an expression"),
    "expression-character": Wording("the character {character} cannot stand outside quotes"),
    "expression-comment": Wording(
        "an expression holds no comment, and from `#` on its rest would be lost: `{lost}`",
        "put the comment on a line of its own above the expression, or behind it outside the quotes",
    ),
    "number-form": Wording(
        "`{text}` is not a number as this language writes it", "write digits, with a point for decimals"
    ),
    "text-form": Wording("`{text}` is not a text as this language writes it", "one pair of quotes, no backslash"),
    "wrong-type": Wording("{what} must be {expected}, and is {found}"),
    "not-comparable": Wording("{left} and {right} cannot be compared"),
    "no-order": Wording("{kind} has no order", "`==` and `in` can be asked"),
    "impossible-value": Wording("`{value}` is never a value of {what}", "it is one of {values}"),
    "not-addable": Wording("`{operator}` takes numbers, not {left} and {right}"),
    "zero-denominator": Wording("the denominator is always zero", "a division by zero is unknown"),
    "too-many-digits": Wording("{what} more than 18 digits"),
    "wrong-arguments": Wording("`{signature}` is not called this way: {why}"),
    "pattern": Wording("the pattern `{pattern}` cannot be used: {why}"),
    "mixed-types": Wording("these values have no common type: {left} and {right}"),
    "generator-form": Wording(
        "a generator has one `for` and at most one `if`", "write `{function}(e for x in list if condition)`"
    ),
    "generator-needed": Wording("`{name}` takes a generator", "write `{name}(e for x in list if condition)`"),
    "if-known-place": Wording("`if_known` stands only at the top of a value", "use `default` or `known` here"),
    "unknown-place": Wording(
        "`unknown` stands only as a branch of a conditional", "write `x if condition else unknown`"
    ),
    "ratio-place": Wording("a ratio can be compared or rounded, nothing else", 'write `round(a / b, 2, "half_even")`'),
    "value-type": Wording("a value cannot be {found}"),
    "template-hole": Wording("`{{{text}}}` is not a name"),
    "unknown-format": Wording("there is no format `{name}`", "there is {names}"),
    "format-type": Wording("`{format}` writes {expected}, and `{name}` is {found}"),
    "format-currency": Wording(
        "`money` needs a currency, and {why}",
        'write `unit: EUR` at its parameter, `"x-unit": "EUR"` in the schema, or `{{{name}:money(EUR)}}`',
    ),
    "plural-forms": Wording(
        "`plural` needs {expected} in the language `{language}`, and has {found}", "write `{{{name}:plural({forms})}}`"
    ),
    "template-doubled": Wording(
        "two braces are read as one, so this reads `{{{name}}}` and not what `{name}` is",
        "write `{{{name}}}` for its value",
        Severity.WARNING,
    ),
    "template-brace": Wording("a brace in this sentence has no partner", "write two for a brace that shall be read"),
}
_MEANING = {
    "parameter-hole": Wording("the parameter `{name}` has no value {period}", "its periods must cover the ruleset's"),
    "table-file": Wording(
        "`{name}` cannot be the file of a table: {why}", "name a CSV file, such as `tables/prices.csv`"
    ),
    "csv-syntax": Wording(
        "this is not a table as CSV: {why}",
        "write commas between cells, the names of the columns on the first line, and quotes around a cell with a comma",
    ),
    "csv-cells": Wording("the file has {expected} columns, and this row {found}"),
    "cell-blanks": Wording("`{text}` has blanks before or behind it", "take them away"),
    "column-missing": Wording("the file of `{table}` has no column `{name}`", "add it to the first line"),
    "cell-missing": Wording("this row of `{table}` has no `{name}`", "a row has a value for each key and each column"),
    "range-empty": Wording(
        "no value lies from {start} up to, and without, {below}", "write the lower end first; it lies within the range"
    ),
    "rows-overlap": Wording(
        "`{table}` has another row for {shared}", "keep one of them, or let one end where the other begins"
    ),
    "table-too-fine": Wording(
        "the ranges of `{table}` cut one another into too many pieces",
        "give rows the same ends, or make two tables of it",
    ),
    "not-in-sql": Wording("{dialect} cannot give the exact answer of `{text}`: {why}"),
    "not-dated": Wording("`{name}` has the same value on all days, so it has none of another day"),
    "library-period": Wording("no version of the library `{name}` is in force on all days {period}"),
    "library-fact": Wording(
        "what is taken from `{library}` reads the fact `{name}`, which {why}",
        "let the schema allow of it only what the library's schema allows, or take another part",
    ),
    "library-misfit": Wording(
        "`{name}` cannot be taken over these facts: {why}", "let the facts be as the library's schema has them"
    ),
    "unused-part": _warning("no ruleset takes {what} of the library `{library}`", "take it, or leave it out"),
    "unknown-calendar": Wording("there is no calendar `{name}`"),
    "calendar-years": Wording(
        "a calendar needs its first and last year", "write `years: [first, last]`, within {first} to {last}"
    ),
    "calendar-day": Wording("`{day}` {why}", "leave it out"),
    "weekend-days": Wording(
        "a weekend is a list of days of the week, each once, and at most six", "write `weekend: [friday, saturday]`"
    ),
    "silence-code": Wording("`{name}` is not a warning, and only warnings can be silenced"),
    "versions-overlap": Wording(
        "this version and {other} are both in force {period}", "let one end where the other begins"
    ),
    "version-twice": Wording(
        "version `{version}` of `{ruleset}` stands in {other} as well", "give each file a version of its own"
    ),
    "meaning-unknown": Wording("an outcome is favourable, unfavourable, neutral or open, not `{name}`"),
    "hit-unknown": Wording("`hit` is first or collect, not `{name}`"),
    "cannot-combine": Wording("the value `{name}` cannot be combined: {why}"),
    "collect-otherwise": Wording("a collect decision has no `otherwise`", "where no rule applies its list is empty"),
    "decision-empty": Wording("the decision decides nothing", "give it rules, a matrix or values"),
    "decision-mixed": Wording("a decision has rules or a matrix, not both", "keep one"),
    "outcomes-missing": Wording("a decision with {what} needs its `outcomes`"),
    "value-twice": Wording("the value `{name}` is given both by the decision and by this rule", "keep one"),
    "matrix-not-closed": Wording("`{name}` has no closed set of values", "a matrix needs an enum or a boolean"),
    "matrix-not-a-value": Wording("`{value}` is no value of `{name}`"),
    "matrix-missing-row": Wording("there is no row for `{value}`, a value of `{name}`"),
    "matrix-missing-column": Wording("there is no column for `{value}`, a value of `{name}`"),
    "matrix-cells": Wording("the table has {expected} columns, and this row {found}"),
    "name-in-cell": Wording(
        "a cell is a number or a text, and `{name}` is the name of a {kind}",
        'write its value, or where the text is meant quote it: `"{name}"`',
    ),
    "matrix-else": Wording("`when` and `else` go together in a legend", "write both, or neither"),
    "check-constant": Wording(
        "this check reads no fact, so it says the same of all facts", "name a fact, or leave it out"
    ),
    "uncited-rule": Wording("this rule cites no source", "add `source:` here or to the decision"),
    "unused-source": _warning("no rule cites the source `{name}`", "cite it, or leave it out"),
    "unused-reading": _warning("no expression asks for the reading `{name}`", "use it, or mark it `fixed: true`"),
    "unused-parameter": _warning("nothing uses the parameter `{name}`", "use it, or leave it out"),
    "unused-table": _warning("nothing looks up the table `{name}`", "use it, or leave it out"),
    "unused-column": _warning("nothing asks for the column `{name}` of `{table}`", "use it, or leave it out"),
    "table-gap": _warning("`{table}` has no row for {asked}", "add a row, or `otherwise:` for all that is left"),
    "calendar-period": _warning(
        "the calendar `{name}` has the years {first} to {last}, and the ruleset is in force {period}",
        "let `years` cover the ruleset's period: what needs another day is unknown",
    ),
    "row-not-a-value": _warning("nothing asks `{table}` for `{value}`, which is no value of `{name}`"),
    "unused-definition": _warning("nothing uses the definition `{name}`", "use it, or leave it out"),
    "unused-outcome": _warning("no rule gives the outcome `{name}`", "leave it out, or add the rule"),
    "unused-legend": _warning("no cell uses `{name}`", "use it, or leave it out"),
    "unused-fact": _warning(
        "no rule reads the fact `{name}` of {schema}",
        "leave it out, or mark it `x-key` or `x-report`",
    ),
    "collected-value": _warning(
        "`{other}` gives the value `{name}` as well, and where both apply only the last is kept",
        "say under `combine` how they become one: sum, min, max, list, first or last",
    ),
    "name-as-text": _warning("`{name}` is a text here, and a {kind} has that name"),
    "text-as-name": _warning("YAML takes these quotes, so this is the {kind} `{name}` and no text"),
    "constant-condition": _warning("`{text}` is always {truth}: {why}", "leave it out, or correct it"),
    "needless-default": _warning("`{name}` is never absent, so this asks for nothing", "leave `{function}` out"),
    "counted-condition": _warning("`{function}` counts every element, whether `{text}` is true or not"),
    "repeated-number": _warning("`{text}` is the value of the parameter `{name}`", "write `{name}`"),
    "unmentioned-value": _warning("no rule mentions `{value}`, a value of `{name}`", "add a rule, or silence this"),
    "unused-silence": _warning("nothing is silenced by this", "leave it out"),
    "unit-mismatch": _warning("`{name}` counts {unit}, and `{function}` {other}"),
    "percent-multiplied": _warning(
        "`{text}` takes `{rate}`, which is in percent, for a plain number", "write `percent_of({rate}, {amount})`"
    ),
    "too-wide-for-tables": _warning(
        "this comparison may need numbers of more than 38 digits, which a report over tables cannot hold",
        "narrow `minimum` and `maximum` in the schema",
    ),
    "uncovered-case": _warning(
        "no rule of `{decision}` applies {case}", "add a rule for it, or `otherwise:` for all that is left"
    ),
    "unreachable-rule": _warning("no facts reach this rule: {why}", "move it up, or leave it out"),
}
_TESTS = {
    "test-ruleset": Wording("there is no ruleset `{name}` to test"),
    "test-decision": Wording("the ruleset has no decision `{name}`"),
    "test-column": Wording("the column `{name}` is neither a fact nor a decision"),
    "test-row": Wording("the table has {expected} columns, and this row {found}"),
    "test-twice": Wording("the case `{name}` stands here twice", "let each case have its own name"),
    "test-fixed": Wording(
        "the reading `{name}` is fixed, and cannot be switched", "leave it out, or take `fixed: true` from the reading"
    ),
    "test-empty": Wording("this case expects nothing", "add `expect:` or `invalid:`"),
    "test-no-cases": Wording("{what}, and so tests nothing", "write one, or leave this out"),
    "test-value": Wording("`{name}` is {expected}, which {found} is not"),
    "test-part-twice": Wording("`{name}` says again what `{other}` says", "leave one of them out"),
    "test-ignored": Wording(
        "`{name}` is not looked at beside `{other}`, since then there is no answer", "make two cases of it"
    ),
}
WORDINGS: Mapping[str, Wording] = MappingProxyType(
    _FILES | _SHAPES | _SCHEMAS | _NAMES | _EXPRESSIONS | _MEANING | _TESTS
)


def say(
    code: str,
    span: Span,
    *,
    hint: Advice | None = None,
    fix: Fix | None = None,
    related: Iterable[Related] = (),
    words: Mapping[str, object] | None = None,
    **more_words: object,
) -> Diagnostic:
    """The diagnostic of that code at a place, its placeholders filled in; `hint` replaces the table's own.

    `fix` is needed only where the hint does not bring it.
    """
    wording = WORDINGS[code]
    shown = {name: shown_text(str(word)) for name, word in {**(words or {}), **more_words}.items()}
    told = str(hint) if hint is not None else wording.hint and wording.hint.format(**shown)
    fix = hint.fix(span) if fix is None and isinstance(hint, Hint) else fix
    message = wording.message.format(**shown)
    return Diagnostic(code, message, span, told or None, tuple(related), wording.severity, fix=fix)


def say_unknown(
    code: str, name: Authored, known: Collection[str], hint: Advice | None = None, **words: object
) -> Diagnostic:
    """The diagnostic of a name that is not among those known, with the nearest of them or else with a hint of its own."""
    return say(code, name.span, hint=did_you_mean(name.value, known) or hint, name=name.value, words=words)


NEAR = 0.6
"""How alike names must be: twice the characters that they share in order, against those of both."""
MOST_COMPARED = 300
"""Among more names than these no likeness is looked for: it would take too long."""


def did_you_mean(name: str, known: Collection[str]) -> Hint | None:
    """A hint with the nearest known name, also by case and blanks, or None where nothing is near."""
    close = nearest(name, known)
    return None if close is None else meaning(name, close, sure=is_slip(name, close, known))


def meaning(name: str, close: str, *, sure: bool = True) -> Hint:
    """The hint that another name was meant."""
    return Hint(f"did you mean `{shown_text(close)}`?", name, close, sure)


def unknown_name(kind: str, name: str, known: Collection[str]) -> str:
    """What is said of a name that is not known, with the nearest one or all that there are."""
    hint = did_you_mean(name, known) or f"there is {', '.join(dict.fromkeys(known)) or 'none'}"
    return f"there is no {kind} `{name}`; {hint}" if name else f"a {kind} must be named; {hint}"


def nearest(name: str, known: Collection[str]) -> str | None:
    """The known name that was probably meant, also by case and blanks, or None where none is near."""
    folded = {word.lower().replace(" ", "_").replace("-", "_"): word for word in known}
    key = name.lower().replace(" ", "_").replace("-", "_")
    if key in folded:
        return folded[key]
    if len(known) > MOST_COMPARED:
        return None
    alike = [word for word in known if 2.0 * min(len(word), len(name)) >= NEAR * (len(word) + len(name))]
    near = get_close_matches(name, alike, n=1, cutoff=NEAR) if alike else []  # which reads the whole name, however long
    return next(iter(near), None)


NO_BREAK = "\u00a0\u202f"
"""Blanks that keep a number and its sign on one line, and that move no terminal."""


def shown_text(text: str, limit: int = 200) -> str:
    """Text from a file made fit for a terminal: control characters spelled out, and not too long."""
    if len(text) <= limit and text.isprintable():
        return text
    begin = text[: limit + 1]  # the rest, perhaps millions of characters, would not be shown
    safe = "".join(
        c if c.isprintable() or c in NO_BREAK else c.encode("unicode_escape", "surrogatepass").decode() for c in begin
    )
    return safe if len(safe) <= limit else f"{safe[:limit]}..."


def in_order(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Each diagnostic once, sorted by place."""
    return tuple(sorted(dict.fromkeys(diagnostics), key=lambda d: (d.span, d.code, d.message)))


def has_errors(diagnostics: Iterable[Diagnostic]) -> bool:
    """Whether any of them forbids the use of its file."""
    return any(diagnostic.severity is Severity.ERROR for diagnostic in diagnostics)
