"""Hints for diagnostics of expressions: what to write in place of syntax of other languages and of common mistakes."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from policy_engine.diagnostics import nearest, shown_text
from policy_engine.fixes import Advice, Hint, is_slip, write
from policy_engine.language.types import ListOf, Record, member_of

if TYPE_CHECKING:
    from policy_engine.frontend.scope import Scope
    from policy_engine.frontend.typing import Typer

NO_DATES = "there is no date literal: make a parameter with `type: date`, and name it here"
NO_TIMES = "there is no literal for a time of day: make a parameter with `type: time`, and name it here"
NUMBER_ALONE = "write the number alone; the unit goes into `unit:`"
THE_DAY = "the day of the question is `as_of`"
DATE_LITERAL = re.compile(r"(?<![\w.])[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?![\w.])")
TIME_LITERAL = re.compile(r"(?<![\w.:])(?:[01]?[0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?(?![\w.:])")
WORD = re.compile(r"\w[\w ]*")
DATE_FORM = re.compile(r"%[A-Za-z]|[dMyY]{2}")
"""What other languages say of how a date is written."""
OPERAND = r"[\w.]+(?:\([^()]*\))?"
TERM_END = r"(?=\s*(?:$|\)|,|\band\b|\bor\b|\bif\b|\belse\b|&&|\|\||\bAND\b|\bOR\b))"
"""What follows a part of a condition that is true or false by itself."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """What is no expression, and what to write: `word` is the part to mark and `whole` the one to replace, by default all of it.

    Without `new` what to write is not known exactly. All take the parts of the pattern by their names.
    """

    pattern: re.Pattern[str]
    hint: str
    new: str | None = None

    def found_in(self, text: str, bare: str) -> FoundPhrase | None:
        """The first such phrase in a text; `bare` is without what its quotes hold."""
        found = self.pattern.search(bare)
        if found is None:
            return None
        parts = {name: text[slice(*found.span(name))].strip() for name in found.groupdict()}
        mark = found.span("word") if "word" in parts else found.span()
        whole = found.span("whole") if "whole" in parts else mark
        new = None if self.new is None else _apart(text, whole, self.new.format(**parts))
        return FoundPhrase(mark, self.hint.format(**parts), whole, new)


@dataclass(frozen=True, slots=True)
class FoundPhrase:
    """A phrase from one place to before another, what is said of it, and what to write in place of the `whole`, if known."""

    mark: tuple[int, int]
    hint: str
    whole: tuple[int, int]
    new: str | None


def _apart(text: str, whole: tuple[int, int], new: str) -> str:
    """The new words with a blank where they would run into a word beside them."""
    before, behind = text[: whole[0]][-1:], text[whole[1] :][:1]
    start = " " if _is_of_word(before) and _is_of_word(new[:1]) else ""
    return f"{start}{new}{' ' if _is_of_word(behind) and _is_of_word(new[-1:]) else ''}"


def _is_of_word(sign: str) -> bool:
    return sign.isalnum() or sign == "_"


def _words(words: str, sign: str) -> Phrase:
    return Phrase(re.compile(rf"\b(?P<word>{words})\b"), f"write `{sign}`", sign)


def _sign(pattern: str, sign: str) -> Phrase:
    return Phrase(re.compile(pattern), f"write `{sign}`", sign)


PHRASES = (
    Phrase(DATE_LITERAL, NO_DATES),
    Phrase(TIME_LITERAL, NO_TIMES),
    Phrase(
        re.compile(r"(?<![\w.])[0-9]+(?:\.[0-9]+)?\s*%(?=\s*(?:of\b|and\b|or\b|if\b|else\b|[^\s\w(.-]|$))"),
        NUMBER_ALONE,
    ),
    _sign(r"=>", ">="),
    _words("is greater than|greater than|is more than|more than|exceeds", ">"),
    _words("is less than|less than", "<"),
    _words("is at least|at least", ">="),
    _words("is at most|at most", "<="),
    _words("is equal to|equals", "=="),
    Phrase(re.compile(r"\w (?P<word>contains) "), "write `contains(text, part)`"),
    Phrase(re.compile(r"(?P<word>\?).*:"), "write `b if a else c`, or two rules"),
    Phrase(re.compile(r"(?P<word>;)\s*$"), "leave it out", ""),
    _sign(r"=<", "<="),
    Phrase(
        re.compile(rf"(?P<whole>(?P<x>{OPERAND}) (?P<word>between) (?P<a>{OPERAND}) and (?P<b>{OPERAND}))"),
        "write `{a} <= {x} <= {b}`",
        "{a} <= {x} <= {b}",
    ),
    Phrase(
        re.compile(r"^(?P<whole>(?P<word>if)\b(?P<a>.+?),? then (?P<b>.+?),? else (?P<c>.+))$"),
        "write `{b} if {a} else {c}`, or two rules",
        "{b} if {a} else {c}",
    ),
    Phrase(re.compile(r"^(?P<word>if)\b.+$"), "write `b if a else c`, or two rules"),
    Phrase(
        re.compile(r"\b(?:sums_by|sorted_by|covered_days)\((?P<word>[^()]+(?:\([^()]*\)[^()]*)*) for\b"),
        "two values of each element stand in brackets: `({word})`",
        "({word})",
    ),
    _sign(r"&&", "and"),
    _sign(r"\|\|", "or"),
    Phrase(re.compile(rf"(?:^|\(|\band\b|\bor\b|\bnot\b)\s*(?P<word>!)\s*{OPERAND}{TERM_END}"), "write `not`", "not"),
    Phrase(re.compile(r"!(?!=)"), "write `not`"),
    _sign(r"<>", "!="),
    _sign(r"\bAND\b", "and"),
    _sign(r"\bOR\b", "or"),
    _sign(r"\bNOT\b", "not"),
    Phrase(re.compile(r"(?<![=!<>])=(?!=)"), "to compare, write `==`", "=="),
)
PAST_AND_PRESENT = frozenset({"today", "now", "current_date", "sysdate", "date_today"})
NOTHING = frozenset({"None", "null", "nil", "missing", "empty", "absent", "none", "undefined", "unknown"})
"""Words that people compare with where they ask whether something is known."""
SURELY_NOTHING = frozenset({"None", "null", "nil"})
"""Those of them that mean it in some language, and no text."""
FOREIGN_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "null": "ask `known(x)`",
        "nil": "ask `known(x)`",
        "None": "ask `known(x)`",
        "yes": "write `true`",
        "no": "write `false`",
        **dict.fromkeys(PAST_AND_PRESENT, THE_DAY),
    }
)
SAME_NAMES = MappingProxyType({"yes": "true", "no": "false", "today": "as_of", "current_date": "as_of"})
"""Those that only need to be called as they are called here."""
FOREIGN_FUNCTIONS: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(PAST_AND_PRESENT, THE_DAY),
        **{
            name: f"`time_of(instant)` is the time of day, and `{unit}s_between(start, end)` counts {unit}s"
            for unit in ("hour", "minute", "second")
            for name in (unit, f"{unit}s", f"{unit}_of")
        },
        **dict.fromkeys(("datediff", "date_diff", "days"), "write `days_between(start, end)`"),
    }
)
"""For functions of other languages what to write."""
BUILT_IN = ("as_of", "true", "false")
ELEMENT: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("any", "all"), "condition"),
        "sums_by": "(key, number)",
        "sorted_by": "(key, {0})",
        "covered_days": "(start, end)",
    }
)
"""What stands before the `for` of an aggregate, where it is not the variable."""
OF_MEMBER: Mapping[str, str] = MappingProxyType({"sums_by": "(key, {1})", "sorted_by": "({1}, {0})"})
"""The same of a member of each element, where it is not that member."""


def phrase(text: str, bare: str) -> FoundPhrase | None:
    """The first phrase of another language in a text; `bare` is without what its quotes hold."""
    return next((found for each in PHRASES if (found := each.found_in(text, bare)) is not None), None)


def of_placeholder(text: str, scope: Scope) -> Advice:
    """What to write in place of a placeholder of a sentence that is not a name."""
    name, sign, _ = (part.strip() for part in text.partition(":" if ":" in text else "!"))
    near = nearest(text.strip(), scope.names()) if WORD.fullmatch(text.strip()) else None
    if near is not None:
        return Hint(f"did you mean `{{{near}}}`?", text, near, is_slip(text.strip(), near, scope.names()))
    if sign and DATE_FORM.search(text) and (scope.kind_of(name) or name in BUILT_IN):
        return f"write `{{{name}:short}}` or `{{{name}:long}}`: a date is written as the ruleset's `language:` has it"
    if sign and scope.kind_of(name):
        return f"write `{{{name}}}` or `{{{name}:number}}`; make a definition that is rounded as you like"
    if not text.strip():
        return "name what shall stand here, or write `{{}}` to have braces read"
    if not re.search(r"[a-z]", text):
        return f"leave the braces out: `{shown_text(text)}`"
    return "make a definition, and name it here"


def of_name(name: str, scope: Scope) -> Advice | None:
    """What to write in place of a name that is not one here."""
    if name in scope.decisions and (parts := scope.decisions[name]()):
        return write(name, f"decisions.{name}.{next(iter(parts))}", sure=False)
    told = scope.elsewhere(name) or FOREIGN_NAMES.get(name)
    return (
        Hint(FOREIGN_NAMES[name], name, SAME_NAMES[name])
        if told == FOREIGN_NAMES.get(name) and name in SAME_NAMES
        else told
    )


def of_member(typer: Typer, node: ast.Attribute) -> Hint | None:
    """What to write in place of `level.percent`, where `level` is a decision."""
    if not isinstance(node.value, ast.Name) or not is_unresolved(typer, node.value):
        return None
    name = node.value.id
    if name not in typer.scope.decisions:
        return None
    part = nearest(node.attr, typer.scope.decisions[name]() or ()) or node.attr
    return Hint(f"write `decisions.{name}.{part}`", name, f"decisions.{name}", sure=part == node.attr)


def is_unresolved(typer: Typer, node: ast.AST) -> bool:
    """Whether a part of an expression is a name that refers to nothing in its scope."""
    if not isinstance(node, ast.Name) or node.id in typer.variables or typer.scope.open:
        return False
    return typer.scope.kind_of(node.id) is None and node.id not in BUILT_IN


def of_table(typer: Typer, node: ast.Call | ast.Subscript) -> Hint | None:
    """What to write in place of `table(key)`, `table[key][column]` or `table[key][key]`; None where there is no such table."""
    keys: list[ast.expr] = []
    at: ast.expr = node
    while isinstance(at, ast.Call | ast.Subscript):
        keys[:0] = at.args if isinstance(at, ast.Call) else [at.slice]
        at = at.func if isinstance(at, ast.Call) else at.value
    table = typer.scope.tables.get(at.id) if isinstance(at, ast.Name) else None
    if table is None:
        return None
    last, names = keys[-1] if keys else None, [column.name for column in table.columns]
    column = last.id if isinstance(last, ast.Name) else _text_of(last)
    asked = keys[:-1] if column in names and len(keys) > len(table.asked_keys) else keys
    words = ", ".join(map(typer.parsed.segment, asked)) or ", ".join(key.name for key in table.asked_keys)
    better = f"{table.name}[{words}].{column if column in names else names[0]}"
    return write(typer.parsed.segment(node), better, sure=column in names)


def of_nothing(typer: Typer, node: ast.Compare) -> Hint | None:
    """What to write in place of a comparison with nothing, None where it is none."""
    if len(node.ops) != 1 or not _is_nothing(typer, node.comparators[0]):
        return None
    known = f"known({typer.parsed.segment(node.left)})"
    better = f"not {known}" if isinstance(node.ops[0], ast.Is | ast.Eq) else known
    return write(typer.parsed.segment(node), better, sure=typer.parsed.segment(node.comparators[0]) in SURELY_NOTHING)


def _is_nothing(typer: Typer, node: ast.AST) -> bool:
    if isinstance(node, ast.Constant):
        return node.value is None
    return isinstance(node, ast.Name) and node.id in NOTHING and is_unresolved(typer, node)


def of_tuples(function: str) -> str:
    """What to write where an aggregate that takes several values of each element has no generator."""
    return f"write `{function}({ELEMENT[function].format('x')} for x in list if condition)`"


def of_list(typer: Typer, function: str, argument: ast.expr, second: ast.expr | None = None) -> str | None:
    """The generator to write in place of a list, or of a member of a list's records; None where it is neither.

    The name of a member may also stand in quotes, as a `second` argument.
    """
    whole = argument.value if isinstance(argument, ast.Attribute) else argument
    listed = argument if _list_of(typer, argument) else whole
    kind = _list_of(typer, listed)
    if kind is None:
        return None
    name = typer.parsed.segment(listed)
    variable = _variable(typer, name)
    element = ELEMENT.get(function, "{0}")
    member = argument.attr if isinstance(argument, ast.Attribute) and listed is whole else _text_of(second)
    if member is not None:
        if not isinstance(kind.element, Record) or not member_of(kind.element, member):
            return None
        element = OF_MEMBER.get(function, "{1}")
    return f"write `{function}({element.format(variable, f'{variable}.{member}')} for {variable} in {name})`"


def _text_of(node: ast.expr | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _list_of(typer: Typer, node: ast.expr) -> ListOf | None:
    """The type of a name, or of a member of one, where it is a list; nothing is reported."""
    match node:
        case ast.Name() if not is_unresolved(typer, node):
            pass
        case ast.Attribute(value=ast.Name()):
            pass
        case _:
            return None
    reported = len(typer.faults)
    kind = typer.infer(node).type
    del typer.faults[reported:]
    return kind if isinstance(kind, ListOf) else None


def _variable(typer: Typer, name: str) -> str:
    """A short name for an element of a list that no other thing has."""
    last = name.rsplit(".", 1)[-1]
    free = (word for word in (last[0], last[:2], f"one_{last}") if not typer.scope.kind_of(word))
    return next((word for word in free if word not in typer.variables), "element")
