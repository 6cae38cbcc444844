"""Lines of generated code, and which names are surely set where.

Facts, definitions and used decisions are worked out at most once and only when needed. A name that is set on every way to a
place is used as it is; one that may be set on some way is asked for `UNSET` first; one that cannot be is simply assigned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field

SURE, PERHAPS = "sure", "perhaps"
SHARED = ("fact_", "def_", "decision_")
"""How the names of facts, definitions and used decisions begin."""


class TooManyRepeats(Exception):  # noqa: N818 - not an error: another way of writing is taken
    """What may be set already was written again too often."""


@dataclass(slots=True)
class Writer:
    """The body of one function under construction. `most_repeats` bounds how often a name is written again.

    `set_names` are the names that became surely set, in the order of the lines: a block ends with those set in it set perhaps.
    """

    lines: list[str] = field(default_factory=list)
    depth: int = 1
    state: dict[str, str] = field(default_factory=dict)
    set_names: list[str] = field(default_factory=list)
    guarded: set[str] = field(default_factory=set)
    counter: int = 0
    repeats: int = 0
    most_repeats: int | None = None

    def shared(self) -> Mapping[str, str]:
        """The names that hold a value or `UNSET` here and mean the same in every function of a program, each with its state."""
        return {
            name: known
            for name, known in self.state.items()
            if name.startswith(SHARED) and (known == SURE or name in self.guarded)
        }

    def line(self, text: str) -> None:
        """Add a line."""
        self.lines.append("    " * self.depth + text)

    def fresh(self, stem: str = "t") -> str:
        """A name that nothing else has."""
        self.counter += 1
        return f"{stem}{self.counter}"

    def named(self, value: str, stem: str = "t") -> str:
        """A name for an expression, so that it is worked out once."""
        if value.isidentifier():
            return value
        name = self.fresh(stem)
        self.line(f"{name} = {value}")
        return name

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        """An indented block that may or may not run: what it sets is set perhaps."""
        self.line(head)
        self.depth += 1
        lines, names = len(self.lines), len(self.set_names)
        yield
        if len(self.lines) == lines:
            self.line("pass")
        self.depth -= 1
        self._unsure_since(names)

    def when(self, test: str) -> AbstractContextManager[None]:
        """A block that runs where a test holds; what always runs needs no block."""
        return nullcontext() if test == "True" else self.block(f"if {test}:")

    def assign_under(self, head: str, name: str, value: str, lines: Sequence[str] = ()) -> None:
        """A block that sets a name, after the captured lines that this needs."""
        self.line(head)
        self.add([*lines, f"{'    ' * self.depth}{name} = {value}"], deeper=1)

    def select(self, number: str, count: int, write: Callable[[int], None], first: int = 0) -> None:
        """One of several texts by a number, found by halving; every text ends by leaving the block."""
        if count == 1:
            write(first)
            return
        half = count // 2
        with self.block(f"if {number} < {first + half}:"):
            self.select(number, half, write, first)
        self.select(number, count - half, write, first + half)

    def _unsure_since(self, start: int) -> None:
        """All names that were set since are set perhaps."""
        self.state.update(dict.fromkeys(self.set_names[start:], PERHAPS))

    def keep_sure(self, names: AbstractSet[str]) -> None:
        """Only some names are surely set; all others are set perhaps."""
        self.state = {name: SURE if name in names else PERHAPS for name in self.state}

    def once(self, name: str, compute: Callable[[], str]) -> str:
        """The name, set to what `compute` writes unless it is set already."""
        known = self.state.get(name)
        if known is None:
            self._assign(name, compute())
        elif known == PERHAPS:
            self.repeats += 1
            if self.most_repeats is not None and self.repeats > self.most_repeats:
                raise TooManyRepeats
            self.guarded.add(name)
            with self.block(f"if {name} is UNSET:"):
                self._assign(name, compute())
        if known != SURE:
            self.state[name] = SURE
            self.set_names.append(name)
        return name

    def _assign(self, name: str, value: str) -> None:
        if value != name:
            self.line(f"{name} = {value}")

    def sure(self) -> set[str]:
        """The names that are surely set here."""
        return {name for name, known in self.state.items() if known == SURE}

    def captured(self, compute: Callable[[], str]) -> tuple[str, list[str]]:
        """What `compute` gives and the lines it writes, which are not added; names that the lines set are set perhaps."""
        before, names = self.lines, len(self.set_names)
        self.lines = []
        value = compute()
        lines, self.lines = self.lines, before
        if lines:
            self._unsure_since(names)
        return value, lines

    def add(self, lines: list[str], deeper: int = 0) -> None:
        """Add captured lines, indented by so many levels more."""
        self.lines.extend("    " * deeper + line for line in lines)


def tuple_of(codes: Iterable[str]) -> str:
    """The text of a tuple."""
    texts = tuple(codes)
    return f"({', '.join(texts)}{',' if texts else ''})"
