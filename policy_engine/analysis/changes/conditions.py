"""The smallest parts in which two conditions differ, in the words of their authors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from policy_engine.analysis.changes.normal_forms import JOINED, NormalForms
from policy_engine.analysis.changes.sides import Sides, quoted
from policy_engine.language import expressions as tree
from policy_engine.language.expressions import Condition, Expression, Group

Piece: TypeAlias = Condition | tree.Node


def condition_words(piece: Piece) -> str:
    """A condition on one line."""
    if isinstance(piece, Group):
        return f"{piece.kind} ({'; '.join(map(condition_words, piece.conditions))})"
    return piece.text


def same_condition(sides: Sides, old: Condition | None, new: Condition | None) -> bool:
    """Whether two conditions have the same normal form, or both are none."""
    if old is None or new is None or old is new:
        return old is new
    return sides.old_forms.condition(old) == sides.new_forms.condition(new)


def condition_changes(sides: Sides, old: Condition, new: Condition) -> str:
    """What became of a condition that changed, in words: such as "`n < 9` became `n <= 9`"."""
    return "; ".join(_changes(sides, old, new))


def _changes(sides: Sides, old: Piece, new: Piece) -> Iterator[str]:
    one, other = _bare(old), _bare(new)
    if isinstance(one, tree.Conditional) and isinstance(other, tree.Conditional):
        yield from _in_branches(sides, one, other)
    elif _kind(one) == _kind(other) != "":
        yield from _in_operands(sides, one, other)
    else:
        yield _became(condition_words(old), condition_words(new))


def _bare(piece: Piece) -> Piece:
    return piece.tree if isinstance(piece, Expression) else piece


def _kind(piece: Piece) -> str:
    """How the parts of a piece are joined, "" where it is none of several parts."""
    match piece:
        case Group(kind="none"):
            return "none"
        case Group(kind=kind):
            return JOINED[kind]
        case tree.And():
            return "and"
        case tree.Or():
            return "or"
    return ""


def _in_operands(sides: Sides, old: Piece, new: Piece) -> Iterator[str]:
    """What was left out and what is new among parts joined alike; one for one, that became the other."""
    kind = _kind(old)
    before, after = list(_operands(old, kind)), list(_operands(new, kind))
    had, has = ({_number(forms, part) for part in parts} for forms, parts in _by_side(sides, before, after))
    gone = [part for part in before if _number(sides.old_forms, part) not in has]
    added = [part for part in after if _number(sides.new_forms, part) not in had]
    if len(gone) == len(added) == 1:
        yield from _changes(sides, gone[0], added[0])
        return
    yield from (f"{quoted(condition_words(part))} is left out under {quoted(_joiner(old))}" for part in gone)
    yield from (f"{quoted(condition_words(part))} is new under {quoted(_joiner(new))}" for part in added)


def _joiner(piece: Piece) -> str:
    """The word by which an author joined the parts of a piece."""
    return piece.kind if isinstance(piece, Group) else _kind(piece)


def _by_side(sides: Sides, old: list[Piece], new: list[Piece]) -> tuple[tuple[NormalForms, list[Piece]], ...]:
    return (sides.old_forms, old), (sides.new_forms, new)


def _operands(piece: Piece, kind: str) -> Iterator[Piece]:
    match piece:
        case Group(conditions=parts) | tree.And(operands=parts) | tree.Or(operands=parts):
            for part in parts:
                bare = _bare(part)
                inner = "or" if kind == "none" else kind
                yield from _operands(bare, kind) if _kind(bare) == inner else (part,)


def _in_branches(sides: Sides, old: tree.Conditional, new: tree.Conditional) -> Iterator[str]:
    parts = [(getattr(old, name), getattr(new, name)) for name in ("condition", "then", "otherwise")]
    for one, other in parts:
        if _number(sides.old_forms, one) != _number(sides.new_forms, other):
            yield from _changes(sides, one, other)


def _number(forms: NormalForms, piece: Piece) -> int:
    return forms.node(piece) if isinstance(piece, tree.Node) else forms.condition(piece)


def _became(old: str, new: str) -> str:
    if old == new:
        return f"{quoted(new)} stands for something else"
    return f"{quoted(old)} became {quoted(new)}"
