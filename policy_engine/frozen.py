"""JSON values that cannot be changed, for errors and answers that are passed on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn


class FrozenObject(dict[str, Any]):
    """A JSON object that cannot be changed; it is equal to a dictionary with the same members."""

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise TypeError("this object cannot be changed; make a dictionary of it first")

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __hash__(self) -> int:  # type: ignore[override]  # a dictionary has none, since it can be changed
        return hash(frozenset(self.items()))

    def __reduce__(self) -> tuple[object, ...]:
        return FrozenObject, (dict(self),)


def frozen(value: object) -> object:
    """A JSON value of our own making: objects and lists, however deep, are copied into what cannot be changed."""
    if isinstance(value, Mapping):
        return FrozenObject({name: frozen(member) for name, member in value.items()})
    if isinstance(value, list | tuple):
        return tuple(frozen(item) for item in value)
    return value


def thawed(value: object) -> object:
    """A frozen value as dictionaries and lists."""
    if isinstance(value, Mapping):
        return {name: thawed(member) for name, member in value.items()}
    return [thawed(item) for item in value] if isinstance(value, tuple) else value
