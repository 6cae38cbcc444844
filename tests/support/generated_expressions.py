"""Expressions written by Hypothesis, well typed by construction.

An `Author` knows the names in scope with their types, and writes the text of an expression of the type that is wanted, with its
own type beside it, so that bounds of numbers and closed sets of texts are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from policy_engine.frontend import operators
from policy_engine.language.functions import AGGREGATES, FUNCTIONS
from policy_engine.language.rounding import MODES
from policy_engine.language.types import (
    BOOLEAN,
    DATE,
    INSTANT,
    Boolean,
    Date,
    Instant,
    ListOf,
    Number,
    Ratio,
    Record,
    Text,
    Type,
    fits,
    join,
    number_of,
)
from tests.support.choosing import Choices
from tests.support.generated_facts import WORDS

NUMBERS = ("0", "1", "2", "3", "-1", "7", "12", "28", "0.5", "1.25", "2.50", "0.001", "1000000", "99999999999")
COUNTS = ("0", "1", "-1", "3", "5", "28", "-40", "400", "12", "100000", "-3652058", "99999999999")
SIGNS = ("<", "<=", ">", ">=", "==", "!=")
KNOWN = Number(0, 1, 1)


@dataclass(frozen=True)
class Made:
    """An expression and its type."""

    text: str
    type: Type


Form = Callable[[int], Made | None]


def names_below(record: Record, prefix: str = "") -> Iterator[Made]:
    """A record's members, and those of the records in it, by their dotted names."""
    for member in record.members:
        name = f"{prefix}{member.name}"
        yield Made(name, member.type)
        if isinstance(member.type, Record):
            yield from names_below(member.type, f"{name}.")


@dataclass
class Author:
    """Writes expressions over the names in scope; what is no name alone goes in brackets."""

    choices: Choices
    names: list[Made]
    readings: dict[str, Sequence[str]]
    calendars: list[str] = field(default_factory=list)
    variables: int = 0

    # What is wanted.

    def condition(self, depth: int) -> str:
        """A condition."""
        return self.want(BOOLEAN, depth).text

    def want(self, kind: Type, depth: int) -> Made:
        """An expression of the same sort as a type: any number for a number, any list of numbers for a list of numbers."""
        match kind:
            case Boolean():
                return self._pick(CONDITIONS, depth) or Made("true", BOOLEAN)
            case Number():
                return self.number(depth)
            case Text():
                return self.text(depth)
            case Date():
                return self._pick(DAYS, depth) or Made("as_of", DATE)
            case Instant():
                return self._pick(MOMENTS, depth) or Made("", INSTANT)
            case ListOf(element=element):
                return self.list_of(element, depth)
        raise AssertionError(kind)

    def number(self, depth: int, *, whole: bool = False) -> Made:
        """A number that has at most 18 digits."""
        made = self._pick(NUMERIC, depth)
        if made is None or not _settled(made.type) or (whole and not _whole(made.type)):
            return self.whole_number()
        return made

    def whole_number(self) -> Made:
        """An integer by its name, or written out."""
        known = [name for name in self.names if isinstance(name.type, Number) and name.type.places == 0]
        if known and self.choices.chance(80):
            return self.choices.one_of(known)
        return _literal(self.choices.one_of(COUNTS))

    def text(self, depth: int) -> Made:
        """A text."""
        return self._pick(TEXTS, depth) or _quoted(self.choices.one_of(WORDS))

    def any_value(self, depth: int) -> Made:
        """A value that an answer may hold."""
        kind = self.choices.one_of(self.value_kinds())
        if self.choices.chance(20):
            made = self.list_of(kind, depth)
            if isinstance(made.type, ListOf) and not isinstance(made.type.element, Record | ListOf):
                return made
        return self.want(kind, depth)

    def value_kinds(self) -> list[Type]:
        """The types that can be written here; an instant has no literal, and needs a name."""
        kinds: list[Type] = [BOOLEAN, KNOWN, Text(), DATE]
        return [*kinds, INSTANT] if self.named(Instant) else kinds

    def named(self, kind: type[Type]) -> list[Made]:
        """The names of a sort."""
        return [name for name in self.names if isinstance(name.type, kind)]

    def _pick(self, forms: Sequence[Callable[[Author, int], Made | None]], depth: int) -> Made | None:
        """One of the forms; the first is a name or a literal, and the only one at the end of the depth."""
        form = self.choices.one_of(forms) if depth > 0 else forms[0]
        return form(self, depth - 1) or forms[0](self, 0)

    # Conditions.

    def plain_condition(self, depth: int) -> Made | None:
        known = self.named(Boolean)
        if known and self.choices.chance(92):
            return self.choices.one_of(known)
        return Made(self.choices.one_of(("true", "false")), BOOLEAN)

    def negated(self, depth: int) -> Made | None:
        return _condition(f"not {self.condition(depth)}")

    def joined(self, depth: int) -> Made | None:
        word = self.choices.one_of((" and ", " or "))
        return _condition(word.join(self.choices.some(2, 3, lambda: self.condition(depth))))

    def numbers_compared(self, depth: int) -> Made | None:
        sides = self.choices.some(2, 3, lambda: self.number(depth).text)
        return _condition(self._chain(sides, SIGNS))

    def ratios_compared(self, depth: int) -> Made | None:
        other = self.ratio(depth) if self.choices.chance(40) else self.number(depth)
        sides = [self.ratio(depth).text, other.text]
        return _condition(self._chain(sides if self.choices.chance(60) else sides[::-1], SIGNS))

    def dates_compared(self, depth: int) -> Made | None:
        kind: Type = INSTANT if self.named(Instant) and self.choices.chance(35) else DATE
        sides = self.choices.some(2, 3, lambda: self.want(kind, depth).text)
        return _condition(self._chain(sides, SIGNS))

    def _chain(self, sides: Sequence[str], signs: Sequence[str]) -> str:
        rest = (f" {self.choices.one_of(signs)} {side}" for side in sides[1:])
        return sides[0] + "".join(rest)

    def equal(self, depth: int) -> Made | None:
        if self.choices.chance(25):
            return _condition(f"{self.condition(depth)} {self.choices.one_of(SIGNS[4:])} {self.condition(depth)}")
        first = self.text(depth)
        return _condition(f"{first.text} {self.choices.one_of(SIGNS[4:])} {self.beside(first, depth).text}")

    def beside(self, first: Made, depth: int) -> Made:
        """A text that may be equal to another."""
        assert isinstance(first.type, Text)
        closed = first.type.values
        if closed is None:
            return self.text(depth)
        fitting = [name for name in self.named(Text) if _may_equal(name.type, closed)]
        if fitting and self.choices.chance(30):
            return self.choices.one_of(fitting)
        return _quoted(self.choices.one_of(closed))

    def member_of_list(self, depth: int) -> Made | None:
        word = self.choices.one_of(("in", "not in"))
        first = self.want(self.choices.one_of(self.value_kinds()), depth)
        if isinstance(first.type, Text):
            return _condition(f"{first.text} {word} {self._texts_beside(first, depth)}")
        item = self.ratio(depth).text if isinstance(first.type, Number) and self.choices.chance(15) else first.text
        return _condition(f"{item} {word} {self.list_of(first.type, depth).text}")

    def _texts_beside(self, first: Made, depth: int) -> str:
        """A list in which a text may be."""
        known = [name for name in self.named(ListOf) if _may_hold(name.type, first.type)]
        if known and self.choices.chance(50):
            return self.choices.one_of(known).text
        return f"[{', '.join(self.choices.some(0, 3, lambda: self.beside(first, depth).text))}]"

    def asked(self, depth: int) -> Made | None:
        known = [name for name in self.names if not isinstance(name.type, Ratio)]
        if known and self.choices.chance(60):
            return Made(f"known({self.choices.one_of(known).text})", BOOLEAN)
        return Made(f"known({self.any_value(depth).text})", BOOLEAN)

    def tested(self, depth: int) -> Made | None:
        if self.choices.chance(40):
            return Made(f"is_weekday({self.want(DATE, depth).text})", BOOLEAN)
        name = self.choices.one_of(("starts_with", "contains"))
        return Made(f"{name}({self.text(depth).text}, {self.text(depth).text})", BOOLEAN)

    def reading(self, depth: int) -> Made | None:
        if not self.readings:
            return None
        name = self.choices.one_of(list(self.readings))
        return _condition(f'{name} {self.choices.one_of(SIGNS[4:])} "{self.choices.one_of(self.readings[name])}"')

    def quantified(self, depth: int) -> Made | None:
        return self._over_list(self.choices.one_of(("any", "all")), depth, lambda inner: inner.want(BOOLEAN, depth))

    # Forms that every type has.

    def conditional(self, kind: Type, depth: int) -> Made | None:
        """Either of two, one of which may be left unknown."""
        first, second = self.want(kind, depth), self.want(kind, depth)
        joined = join(first.type, second.type)
        if joined is None or not _settled(joined):
            return None
        condition = self.condition(depth)
        if self.choices.chance(25):
            sides = (first.text, "unknown") if self.choices.chance(50) else ("unknown", first.text)
            return Made(f"({sides[0]} if {condition} else {sides[1]})", first.type)
        return Made(f"({first.text} if {condition} else {second.text})", joined)

    def defaulted(self, kind: Type, depth: int) -> Made | None:
        first, second = self.want(kind, depth), self.want(kind, depth)
        joined = join(first.type, second.type)
        if joined is None or not _settled(joined):
            return None
        return Made(f"default({first.text}, {second.text})", joined)

    def picked(self, kind: Type, depth: int) -> Made | None:
        """An element of a list."""
        names = ["first", "last"]
        if operators.ordered(kind):
            names += ["min", "max"]
        return self._over_list(self.choices.one_of(names), depth, lambda inner: inner.want(kind, depth))

    def extreme(self, kind: Type, depth: int) -> Made | None:
        parts = self.choices.some(2, 3, lambda: self.want(kind, depth))
        name = self.choices.one_of(("min", "max"))
        return _settled_call(name, parts)

    def _over_list(self, function: str, depth: int, element: Callable[[Author], Made]) -> Made | None:
        """An aggregate, with a filter or without."""
        source = self.source(depth)
        if source is None or not isinstance(source.type, ListOf):
            return None
        self.variables += 1
        variable = f"e{self.variables}"
        inner = replace(self, names=[*self.element_names(variable, source.type.element), *self.names])
        part = element(inner)
        test = f" if {inner.condition(depth)}" if self.choices.chance(60) else ""
        self.variables = inner.variables
        if isinstance(part.type, Ratio):
            return None
        kind = AGGREGATES[function].result(part.type, source.type.most)
        if kind is None or not _settled(kind):
            return None
        return Made(f"{function}({part.text} for {variable} in {source.text}{test})", kind)

    def element_names(self, variable: str, kind: Type) -> list[Made]:
        """The variable, or the members of its record; twice, so that they are chosen often."""
        found = list(names_below(kind, f"{variable}.")) if isinstance(kind, Record) else [Made(variable, kind)]
        return found * 2

    # Lists.

    def source(self, depth: int) -> Made | None:
        """A list to go over: by its name, written out, or of a list's elements."""
        known = self.named(ListOf)
        how = self.choices.between(0, 9)
        if known and how < 7:
            return self.choices.one_of(known)
        if how == 7 and self.named(Record):
            records = self.choices.some(1, 2, lambda: self.choices.one_of(self.named(Record)))
            return _list_literal([record for record in records if record.type == records[0].type])
        if how == 9 and depth > 0 and self.choices.chance(50):
            name = self.choices.one_of(("first", "last"))
            return self._over_list(name, depth - 1, lambda inner: inner.list_of(KNOWN, depth - 1))
        return self._filtered(depth) if how == 8 else self.list_of(self.choices.one_of(self.value_kinds()), depth)

    def list_of(self, element: Type, depth: int) -> Made:
        """A list of elements of a sort."""
        known = [
            n for n in self.named(ListOf) if isinstance(n.type, ListOf) and isinstance(n.type.element, type(element))
        ]
        how = self.choices.between(0, 9)
        if known and how < 5:
            return self.choices.one_of(known)
        if how == 8:
            made = self._filtered(depth)
            if made is not None and isinstance(made.type, ListOf) and isinstance(made.type.element, type(element)):
                return made
        if how == 9 and depth > 0:
            made = self._either_list(element, depth - 1)
            if made is not None:
                return made
        return _list_literal(self.choices.some(1, 3, lambda: self.maybe(element, depth))) or _list_literal(
            [self.want(element, 0)]
        )  # type: ignore[return-value]

    def maybe(self, kind: Type, depth: int) -> Made:
        """A value that is now and then left unknown."""
        made = self.want(kind, depth - 1)
        if self.choices.chance(15):
            return Made(f"({made.text} if {self.condition(0)} else unknown)", made.type)
        return made

    def _either_list(self, element: Type, depth: int) -> Made | None:
        first, second = self.list_of(element, depth), self.list_of(element, depth)
        kind = join(first.type, second.type)
        if kind is None or not _settled(kind):
            return None
        if self.choices.chance(50):
            return Made(f"default({first.text}, {second.text})", kind)
        return Made(f"({first.text} if {self.condition(depth)} else {second.text})", kind)

    def _filtered(self, depth: int) -> Made | None:
        name = self.choices.one_of(("list", "last_run"))
        return self._over_list(name, depth, lambda inner: inner.element(depth))

    def element(self, depth: int, *, lists: bool = False) -> Made:
        """What a list is made of: its own elements, often; for some aggregates lists as well."""
        if lists and self.choices.chance(10):
            return self.list_of(KNOWN, depth)
        if self.choices.chance(60) and self.names and not isinstance(self.names[0].type, ListOf):
            return self.names[0]
        return self.want(self.choices.one_of(self.value_kinds()), depth)

    # Numbers.

    def plain_number(self, depth: int) -> Made | None:
        known = self.named(Number)
        if known and self.choices.chance(75):
            return self.choices.one_of(known)
        return _literal(self.choices.one_of(NUMBERS))

    def computed(self, depth: int) -> Made | None:
        sign = self.choices.one_of(("+", "-", "*", "//", "%"))
        whole = sign in ("//", "%")
        left, right = self.number(depth, whole=whole), self.number(depth, whole=whole)
        right = _divisor(right) if whole else right
        assert isinstance(left.type, Number)
        assert isinstance(right.type, Number)
        kind = operators.arithmetic(sign, left.type, right.type)
        return Made(f"({left.text} {sign} {right.text})", kind) if _settled(kind) else left

    def unary(self, depth: int) -> Made | None:
        made = self.number(depth)
        assert isinstance(made.type, Number)
        if self.choices.chance(50):
            return _settled_call("abs", [made])
        return Made(f"(-{made.text})", Number(made.type.places, -made.type.high, -made.type.low))

    def ratio(self, depth: int) -> Made:
        """A quotient, not rounded."""
        left, right = self.number(depth), _divisor(self.number(depth))
        assert isinstance(left.type, Number)
        assert isinstance(right.type, Number)
        return Made(f"({left.text} / {right.text})", Ratio(left.type, right.type))

    def rounded(self, depth: int) -> Made | None:
        part = self.ratio(depth) if self.choices.chance(60) else self.number(depth)
        places = self.choices.one_of((2, 0, 1, 4))
        mode = self.choices.one_of(tuple(MODES))
        kind = FUNCTIONS["round"].result(part.type, Number(0, places, places), Text((mode,)))
        return Made(f'round({part.text}, {places}, "{mode}")', kind) if kind is not None and _settled(kind) else None

    def counted(self, depth: int) -> Made | None:
        if self.choices.chance(25):
            made = self.source(depth)
            return _settled_call("len", [made]) if made is not None else None
        if self.choices.chance(50):
            return self._over_list("count", depth, lambda inner: inner.element(depth, lists=True))
        return self._over_list("sum", depth, lambda inner: inner.number(depth))

    def distance(self, depth: int) -> Made | None:
        if self.choices.chance(25):
            return _settled_call("weekday", [self.want(DATE, depth)])
        name = self.choices.one_of(("days_between", "weekdays_between"))
        return _settled_call(name, [self.want(DATE, depth), self.want(DATE, depth)])

    def number_of_choice(self, depth: int) -> Made | None:
        form = self.choices.one_of((Author.conditional, Author.defaulted, Author.picked, Author.extreme))
        return form(self, KNOWN, depth)

    # Texts, dates and instants.

    def plain_text(self, depth: int) -> Made | None:
        known = self.named(Text)
        return self.choices.one_of(known) if known and self.choices.chance(85) else _quoted(self.choices.one_of(WORDS))

    def text_of_choice(self, depth: int) -> Made | None:
        form = self.choices.one_of((Author.conditional, Author.defaulted, Author.picked))
        return form(self, Text(), depth)

    def condition_of_choice(self, depth: int) -> Made | None:
        form = self.choices.one_of((Author.conditional, Author.defaulted, Author.picked))
        return form(self, BOOLEAN, depth)

    def plain_day(self, depth: int) -> Made | None:
        known = self.named(Date)
        return self.choices.one_of(known) if known and self.choices.chance(85) else Made("as_of", DATE)

    def moved(self, depth: int) -> Made | None:
        name = self.choices.one_of(("add_days", "add_months", "add_years", "add_weekdays"))
        return _settled_call(name, [self.want(DATE, depth), self.number(depth, whole=True)])

    def in_business_days(self, depth: int) -> Made | None:
        count = self.choices.one_of(("1", "-1", "5", "0", "-30"))
        day = self.want(DATE, depth).text
        named = self.calendars and self.choices.chance(50)
        holidays = self.choices.one_of(self.calendars) if named else self.list_of(DATE, depth).text
        return Made(f"add_business_days({day}, {count}, {holidays})", DATE)

    def in_month(self, depth: int) -> Made | None:
        if self.named(Instant) and self.choices.chance(40):
            return Made(f"date_of({self.want(INSTANT, depth).text})", DATE)
        return Made(f"{self.choices.one_of(('first_of_month', 'last_of_month'))}({self.want(DATE, depth).text})", DATE)

    def day_of_choice(self, depth: int) -> Made | None:
        form = self.choices.one_of((Author.conditional, Author.defaulted, Author.picked, Author.extreme))
        return form(self, DATE, depth)

    def plain_moment(self, depth: int) -> Made | None:
        return self.choices.one_of(self.named(Instant))

    def moment_of_choice(self, depth: int) -> Made | None:
        form = self.choices.one_of((Author.conditional, Author.defaulted, Author.picked, Author.extreme))
        return form(self, INSTANT, depth)


Forms = tuple[Callable[[Author, int], Made | None], ...]
CONDITIONS: Forms = (
    Author.plain_condition, Author.negated, Author.joined, Author.joined, Author.numbers_compared, Author.numbers_compared,
    Author.dates_compared, Author.equal, Author.equal, Author.member_of_list, Author.asked, Author.tested, Author.reading,
    Author.quantified, Author.ratios_compared, Author.condition_of_choice,
)  # fmt: skip
NUMERIC: Forms = (
    Author.plain_number, Author.plain_number, Author.computed, Author.computed, Author.unary, Author.rounded, Author.counted,
    Author.counted, Author.distance, Author.number_of_choice, Author.number_of_choice,
)  # fmt: skip
TEXTS: Forms = (Author.plain_text, Author.plain_text, Author.text_of_choice)
DAYS: Forms = (
    Author.plain_day, Author.plain_day, Author.moved, Author.in_month, Author.in_business_days, Author.day_of_choice,
)  # fmt: skip
MOMENTS: Forms = (Author.plain_moment, Author.plain_moment, Author.moment_of_choice)


def _condition(text: str) -> Made:
    return Made(f"({text})", BOOLEAN)


def _literal(text: str) -> Made:
    kind = number_of(Decimal(text) if "." in text else int(text))
    return Made(f"({text})" if text.startswith("-") else text, kind)


def _quoted(word: str) -> Made:
    return Made(f'"{word}"', Text((word,)))


def _settled(kind: Type) -> bool:
    """Whether a value of the type may stand anywhere: 18 digits are enough."""
    inner = kind.element if isinstance(kind, ListOf) else kind
    return not isinstance(inner, Number) or fits(inner)


def _divisor(made: Made) -> Made:
    """A number that is not always zero, which the checker refuses to divide by."""
    assert isinstance(made.type, Number)
    return made if made.type.low or made.type.high else _literal("3")


def _whole(kind: Type) -> bool:
    return isinstance(kind, Number) and kind.places == 0


def _may_equal(kind: Type, closed: Sequence[str]) -> bool:
    return isinstance(kind, Text) and (kind.values is None or bool(set(kind.values) & set(closed)))


def _may_hold(kind: Type, item: Type) -> bool:
    if not (isinstance(kind, ListOf) and isinstance(kind.element, Text)):
        return False
    return operators.never_equal(kind.element, item) is None


def _settled_call(name: str, parts: Sequence[Made]) -> Made | None:
    kind = FUNCTIONS[name].result(*(part.type for part in parts))
    if kind is None or not _settled(kind):
        return None
    return Made(f"{name}({', '.join(part.text for part in parts)})", kind)


def _list_literal(parts: Sequence[Made]) -> Made | None:
    kind: Type = parts[0].type
    for part in parts:
        joined = join(kind, part.type)
        if joined is None or isinstance(part.type, ListOf):
            return None
        kind = joined
    return Made(f"[{', '.join(part.text for part in parts)}]", ListOf(kind, len(parts))) if _settled(kind) else None
