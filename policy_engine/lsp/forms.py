"""What may stand at a place of a rule or test file, by the table of keys."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from policy_engine.frontend import shapes
from policy_engine.frontend.loader import TEST_SUFFIX
from policy_engine.frontend.shapes import Either, Form, Key, Kind, MapOf, SequenceOf, Shape
from policy_engine.lsp.places import ITEM

LIBRARY = re.compile(r"^library:", re.MULTILINE)


def shape_of_file(path: Path, text: str) -> Shape:
    """The shape of a whole file, by its name and its first key."""
    if path.stem.endswith(TEST_SUFFIX):
        return shapes.TESTS
    return shapes.LIBRARY if LIBRARY.search(text) else shapes.RULESET


def forms_at(root: Form, path: Sequence[str]) -> list[Form]:
    """What may stand below the keys of a path: the alternatives of one place; none where the path is not of the table."""
    found = _alternatives(root)
    for step in path:
        found = [below for form in found for below in _below(form, step)]
    return found


def key_at(root: Shape, path: Sequence[str]) -> Key | None:
    """The row of the table for the key that a path ends with; None where its name is the author's."""
    shapes_ = [form for form in forms_at(root, path[:-1]) if isinstance(form, Shape)] if path else []
    return next((key for shape in shapes_ for key in shape.keys if key.name == path[-1]), None)


def _below(form: Form, step: str) -> Iterator[Form]:
    match form:
        case Shape(keys=keys):
            yield from (each for key in keys if key.name == step for each in _alternatives(key.form))
        case MapOf(values=values) if step != ITEM:
            yield from _alternatives(values)
        case SequenceOf(items=items) if step == ITEM:
            yield from _alternatives(items)


def _alternatives(form: Form) -> list[Form]:
    """The forms that one form stands for; a condition may be a group of conditions as well."""
    match form:
        case Either(forms=forms):
            return [each for one in forms for each in _alternatives(one)]
        case Kind.CONDITION:
            return [form, shapes.GROUP]
    return [form]
