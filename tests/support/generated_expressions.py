"""Expressions written by Hypothesis, well typed by construction.

An `Author` knows the names in scope with their types, and writes the text of an expression of the type that is wanted, with its
own type beside it, so that bounds of numbers and closed sets of texts are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from policy_engine.language.dates import FEBRUARY_28, MARCH_1
from policy_engine.language.functions import AGGREGATES, FUNCTIONS
from policy_engine.language.rounding import MODES
from policy_engine.language.types import (
    BOOLEAN,
    CALENDAR,
    DATE,
    INSTANT,
    TIME,
    Boolean,
    Date,
    Instant,
    ListOf,
    Number,
    Ratio,
    Record,
    Text,
    Time,
    Tuple,
    Type,
    arithmetic,
    is_plain,
    join,
    ordered,
)
from tests.support.choosing import Choices
from tests.support.generated_facts import WORDS
from tests.support.generated_tables import MadeTable
from tests.support.made import (
    Made,
    bracketed,
    call_of,
    divisor,
    is_settled,
    is_whole,
    list_literal,
    may_equal,
    may_hold,
    names_below,
    number_literal,
    quoted,
)

NUMBERS = ("0", "1", "2", "3", "-1", "7", "12", "28", "0.5", "1.25", "2.50", "0.001", "1000000", "99999999999")
COUNTS = ("0", "1", "-1", "3", "5", "28", "-40", "400", "12", "100000", "-3652058", "99999999999")
PATTERNS = ("^[a-z]+$", "e", "[^a-z]", "^(?:red|blue)$", "^.{2,4}$", "^$")
PARTS = ("weekday", "year", "month", "day", "quarter", "iso_week", "day_of_year")
BETWEEN = ("days_between", "weekdays_between", "months_between", "years_between", "business_days_between")
SIGNS = ("<", "<=", ">", ">=", "==", "!=")
FEW = ("0", "1", "2", "3", "-1")
KNOWN = Number(0, 1, 1)
KEY_KINDS: Mapping[str, Type] = MappingProxyType(
    {"text": Text(), "integer": KNOWN, "decimal": KNOWN, "range": KNOWN, "boolean": BOOLEAN, "date": DATE}
)
"""What is asked for by a key of each type of a look-up table."""


@dataclass
class Author:
    """Writes expressions over the names in scope; what is no name alone goes in brackets."""

    choices: Choices
    names: list[Made]
    readings: dict[str, Sequence[str]]
    calendars: list[str] = field(default_factory=list)
    tables: list[MadeTable] = field(default_factory=list)
    dated: list[Made] = field(default_factory=list)
    """The parameters that change with time."""
    variables: int = 0
    elements: Sequence[Made] = ()
    """The variable of the loop at hand, or its record with the members."""

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
            case Time():
                return self._pick(TIMES, depth) or Made("", TIME)
            case ListOf(element=element):
                return self.list_of(element, depth)
            case Record():
                return self.record(depth) or self.choices.one_of(self.named(Record))
        raise AssertionError(kind)

    def number(self, depth: int, *, whole: bool = False) -> Made:
        """A number that has at most 18 digits."""
        made = self._pick(NUMERIC, depth)
        if made is None or not is_settled(made.type) or (whole and not is_whole(made.type)):
            return self.whole_number()
        return made

    def whole_number(self) -> Made:
        """An integer by its name, or written out."""
        known = [name for name in self.names if isinstance(name.type, Number) and name.type.places == 0]
        if known and self.choices.chance(80):
            return self.choices.one_of(known)
        return number_literal(self.choices.one_of(COUNTS))

    def text(self, depth: int) -> Made:
        """A text."""
        return self._pick(TEXTS, depth) or quoted(self.choices.one_of(WORDS))

    def any_value(self, depth: int) -> Made:
        """A value that an answer may hold."""
        kind = self.choices.one_of(self.value_kinds())
        if self.choices.chance(20):
            made = self.list_of(kind, depth)
            if isinstance(made.type, ListOf) and not isinstance(made.type.element, Record | ListOf):
                return made
        return self.want(kind, depth)

    def value_kinds(self) -> list[Type]:
        """The types that can be written here; an instant and a time have no literal, and need a name."""
        kinds: list[Type] = [BOOLEAN, KNOWN, Text(), DATE]
        kinds += [INSTANT] if self.named(Instant) else []
        return [*kinds, TIME] if self.named(Time) else kinds

    def named(self, kind: type[Type]) -> list[Made]:
        """The names of a sort."""
        return [name for name in self.names if isinstance(name.type, kind)]

    def _pick(self, forms: Sequence[Callable[[Author, int], Made | None]], depth: int) -> Made | None:
        """One of the forms; the first is a name or a literal, and the only one at the end of the depth."""
        form = self.choices.one_of(forms) if depth > 0 else forms[0]
        return form(self, depth - 1) or forms[0](self, 0)

    # Look-ups.

    def looked_up(self, kind: Type, depth: int) -> Made | None:
        """A cell of a look-up table, or a parameter, on the day of the question or on another."""
        if self.choices.chance(20):
            fitting = [made for made in self.dated if isinstance(made.type, type(kind))]
            made = self.choices.one_of(fitting) if fitting else None
            return None if made is None else Made(f"value_on({made.text}, {self.want(DATE, depth).text})", made.type)
        columns = [(table, name, cell) for table in self.tables for name, cell in table.columns]
        fitting_ = [column for column in columns if isinstance(column[2], type(kind))]
        if not fitting_:
            return None
        table, name, cell = self.choices.one_of(fitting_)
        text = f"{table.name}[{', '.join(self.want(KEY_KINDS[word], depth).text for word in table.keys)}].{name}"
        if table.dated and self.choices.chance(40):
            text = f"value_on({text}, {self.want(DATE, depth).text})"
        return Made(text, cell)

    def flag_looked_up(self, depth: int) -> Made | None:
        return self.looked_up(BOOLEAN, depth)

    def number_looked_up(self, depth: int) -> Made | None:
        return self.looked_up(KNOWN, depth)

    def text_looked_up(self, depth: int) -> Made | None:
        return self.looked_up(Text(), depth)

    def day_looked_up(self, depth: int) -> Made | None:
        return self.looked_up(DATE, depth)

    # Conditions.

    def plain_condition(self, depth: int) -> Made | None:
        known = self.named(Boolean)
        if known and self.choices.chance(92):
            return self.choices.one_of(known)
        return Made(self.choices.one_of(("true", "false")), BOOLEAN)

    def negated(self, depth: int) -> Made | None:
        return bracketed(f"not {self.condition(depth)}")

    def joined(self, depth: int) -> Made | None:
        word = self.choices.one_of((" and ", " or "))
        return bracketed(word.join(self.choices.some(2, 3, lambda: self.condition(depth))))

    def numbers_compared(self, depth: int) -> Made | None:
        sides = self.choices.some(2, 3, lambda: self.number(depth).text)
        return bracketed(self._chain(sides, SIGNS))

    def ratios_compared(self, depth: int) -> Made | None:
        other = self.ratio(depth) if self.choices.chance(40) else self.number(depth)
        sides = [self.ratio(depth).text, other.text]
        return bracketed(self._chain(sides if self.choices.chance(60) else sides[::-1], SIGNS))

    def dates_compared(self, depth: int) -> Made | None:
        kind: Type = INSTANT if self.named(Instant) and self.choices.chance(35) else DATE
        kind = TIME if self.named(Time) and self.choices.chance(35) else kind
        sides = self.choices.some(2, 3, lambda: self.want(kind, depth).text)
        return bracketed(self._chain(sides, SIGNS))

    def _chain(self, sides: Sequence[str], signs: Sequence[str]) -> str:
        rest = (f" {self.choices.one_of(signs)} {side}" for side in sides[1:])
        return sides[0] + "".join(rest)

    def equal(self, depth: int) -> Made | None:
        if self.choices.chance(25):
            return bracketed(f"{self.condition(depth)} {self.choices.one_of(SIGNS[4:])} {self.condition(depth)}")
        first = self.text(depth)
        return bracketed(f"{first.text} {self.choices.one_of(SIGNS[4:])} {self.beside(first, depth).text}")

    def beside(self, first: Made, depth: int) -> Made:
        """A text that may be equal to another."""
        assert isinstance(first.type, Text)
        closed = first.type.values
        if closed is None:
            return self.text(depth)
        fitting = [name for name in self.named(Text) if may_equal(name.type, closed)]
        if fitting and self.choices.chance(30):
            return self.choices.one_of(fitting)
        return quoted(self.choices.one_of(closed))

    def member_of_list(self, depth: int) -> Made | None:
        word = self.choices.one_of(("in", "not in"))
        first = self.want(self.choices.one_of(self.value_kinds()), depth)
        if isinstance(first.type, Text):
            return bracketed(f"{first.text} {word} {self._texts_beside(first, depth)}")
        item = self.ratio(depth).text if isinstance(first.type, Number) and self.choices.chance(15) else first.text
        return bracketed(f"{item} {word} {self.list_of(first.type, depth).text}")

    def _texts_beside(self, first: Made, depth: int) -> str:
        """A list in which a text may be."""
        known = [name for name in self.named(ListOf) if may_hold(name.type, first.type)]
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
            day = self.want(DATE, depth)
            if self.choices.chance(50):
                return call_of("is_business_day", [day, self.holidays(depth)])
            return call_of("is_weekday", [day])
        if self.choices.chance(20):
            return Made(f'matches({self.text(depth).text}, "{self.choices.one_of(PATTERNS)}")', BOOLEAN)
        name = self.choices.one_of(("starts_with", "contains", "ends_with", "equals_ignoring_case"))
        return Made(f"{name}({self.text(depth).text}, {self.text(depth).text})", BOOLEAN)

    def reading(self, depth: int) -> Made | None:
        if not self.readings:
            return None
        name = self.choices.one_of(list(self.readings))
        return bracketed(f'{name} {self.choices.one_of(SIGNS[4:])} "{self.choices.one_of(self.readings[name])}"')

    def quantified(self, depth: int) -> Made | None:
        return self._over_list(self.choices.one_of(("any", "all")), depth, lambda inner: inner.want(BOOLEAN, depth))

    # Forms that every type has.

    def conditional(self, kind: Type, depth: int) -> Made | None:
        """Either of two, one of which may be left unknown."""
        first, second = self.want(kind, depth), self.want(kind, depth)
        joined = join(first.type, second.type)
        if joined is None or not is_settled(joined):
            return None
        if self.choices.chance(25):
            return self.perhaps(first, depth)
        return Made(f"({first.text} if {self.condition(depth)} else {second.text})", joined)

    def perhaps(self, made: Made, depth: int) -> Made:
        """Something that a condition, or a constant, leaves unknown."""
        asked = self.choices.one_of(("true", "false")) if self.choices.chance(30) else self.condition(depth)
        sides = (made.text, "unknown") if self.choices.chance(50) else ("unknown", made.text)
        return Made(f"({sides[0]} if {asked} else {sides[1]})", made.type)

    def defaulted(self, kind: Type, depth: int) -> Made | None:
        first, second = self.want(kind, depth), self.want(kind, depth)
        joined = join(first.type, second.type)
        if joined is None or not is_settled(joined):
            return None
        return Made(f"default({first.text}, {second.text})", joined)

    def picked(self, kind: Type, depth: int) -> Made | None:
        """An element of a list."""
        names = ["first", "last"]
        if ordered(kind):
            names += ["min", "max"]
        return self._over_list(self.choices.one_of(names), depth, lambda inner: inner.want(kind, depth))

    def extreme(self, kind: Type, depth: int) -> Made | None:
        parts = self.choices.some(2, 3, lambda: self.want(kind, depth))
        name = self.choices.one_of(("min", "max"))
        return call_of(name, parts)

    def _over_list(self, function: str, depth: int, element: Callable[[Author], Made]) -> Made | None:
        """An aggregate, with a filter or without."""
        source = self.source(depth)
        return None if source is None else self._over(source, function, depth, element)

    def _over(self, source: Made, function: str, depth: int, element: Callable[[Author], Made]) -> Made | None:
        if not isinstance(source.type, ListOf):
            return None
        self.variables += 1
        variable = f"e{self.variables}"
        elements = self.element_names(variable, source.type.element)
        inner = replace(self, names=[*elements * 2, *self.names], elements=elements)
        part = element(inner)
        test = f" if {inner.condition(depth)}" if self.choices.chance(60) else ""
        self.variables = inner.variables
        if isinstance(part.type, Ratio):
            return None
        kind = AGGREGATES[function].result(part.type, source.type.most)
        if kind is None or not is_settled(kind):
            return None
        return Made(f"{function}({part.text} for {variable} in {source.text}{test})", kind)

    def element_names(self, variable: str, kind: Type) -> list[Made]:
        """The variable, and the members of its record."""
        return [Made(variable, kind), *(names_below(kind, f"{variable}.") if isinstance(kind, Record) else ())]

    # Records.

    def record(self, depth: int) -> Made | None:
        """A record: by its name, the first or the last of a list, or one that may be left unknown."""
        lists = self.lists_of(Record)
        if lists and depth > 0 and self.choices.chance(60):
            name = self.choices.one_of(("first", "last"))
            return self._over(self.choices.one_of(lists), name, depth - 1, lambda inner: inner.elements[0])
        known = self.named(Record)
        if not known:
            return None
        made = self.choices.one_of(known)
        return self.perhaps(made, max(depth - 1, 0)) if self.choices.chance(60) else made

    def member(self, kind: Type, depth: int) -> Made | None:
        """A member of a record, which may be unknown as a whole."""
        made = self.record(max(depth, 1))
        if made is None or not isinstance(made.type, Record):
            return None
        fitting = [member for member in made.type.members if isinstance(member.type, type(kind))]
        if not fitting:
            return None
        member = self.choices.one_of(fitting)
        return Made(f"{made.text}.{member.name}", member.type)

    def flag_of_record(self, depth: int) -> Made | None:
        return self.member(BOOLEAN, depth)

    def number_of_record(self, depth: int) -> Made | None:
        return self.member(KNOWN, depth)

    def text_of_record(self, depth: int) -> Made | None:
        return self.member(Text(), depth)

    def day_of_record(self, depth: int) -> Made | None:
        return self.member(DATE, depth)

    def moment_of_record(self, depth: int) -> Made | None:
        return self.member(INSTANT, depth)

    def lists_of(self, kind: type[Type]) -> list[Made]:
        """The names of lists of a sort of elements."""
        return [name for name in self.names if isinstance(name.type, ListOf) and isinstance(name.type.element, kind)]

    # Lists.

    def source(self, depth: int) -> Made | None:
        """A list to go over: by its name, written out, or of a list's elements."""
        known = self.named(ListOf)
        how = self.choices.between(0, 9)
        if known and how < 7:
            return self.choices.one_of(known[:3] if self.choices.chance(50) else known)
        if how == 7 and self.named(Record):
            records = self.choices.some(1, 2, lambda: self.want(self.named(Record)[0].type, depth - 1))
            return list_literal([record for record in records if record.type == records[0].type])
        if how == 9 and depth > 0 and self.choices.chance(30):
            return self.member(ListOf(KNOWN), depth)
        if how == 9 and depth > 0 and self.choices.chance(50):
            name = self.choices.one_of(("first", "last"))
            return self._over_list(name, depth - 1, lambda inner: inner.list_of(KNOWN, depth - 1))
        return self.filtered(depth) if how == 8 else self.list_of(self.choices.one_of(self.value_kinds()), depth)

    def list_of(self, element: Type, depth: int) -> Made:
        """A list of elements of a sort."""
        known = self.lists_of(type(element))
        how = self.choices.between(0, 9)
        if known and how < 5:
            return self.choices.one_of(known)
        if how == 7 and depth > 0:
            return self.part_of_lists(element, depth - 1)
        if how == 8:
            made = self.filtered(depth)
            if made is not None and isinstance(made.type, ListOf) and isinstance(made.type.element, type(element)):
                return made
        if how == 9 and depth > 0:
            made = self._either_list(element, depth - 1)
            if made is not None:
                return made
        return list_literal(self.choices.some(1, 3, lambda: self.maybe(element, depth))) or list_literal(
            [self.want(element, 0)]
        )  # type: ignore[return-value]

    def part_of_lists(self, element: Type, depth: int) -> Made:
        """A list made of others by a function."""
        made = self.list_of(element, depth)
        match self.choices.one_of(("take", "take_last", "distinct", "join_lists")):
            case "distinct":
                return (call_of("distinct", [made]) if self.is_of_plain(made) else None) or made
            case "join_lists":
                other = self.list_of(element, depth)
                return (call_of("join_lists", [made, other]) if join(made.type, other.type) else None) or made
            case name:
                number = self.choices.one_of((number_literal(self.choices.one_of(FEW)), self.number(depth, whole=True)))
                return call_of(name, [made, number]) or made

    def is_of_plain(self, made: Made) -> bool:
        """Whether elements of a list can be compared."""
        return isinstance(made.type, ListOf) and is_plain(made.type.element)

    def lists_compared(self, depth: int) -> Made | None:
        """Whether lists are equal, or one holds all of the other."""
        kind = self.choices.one_of(self.value_kinds())
        first, second = self.list_of(kind, depth), self.list_of(kind, depth)
        if self.choices.chance(20):
            second = first
        if not (
            self.is_of_plain(first) and self.is_of_plain(second) and is_settled(join(first.type, second.type) or KNOWN)
        ):
            return None
        words = [set(_words(made)) for made in (first, second)]
        if all(words) and words[0] != words[1]:
            return None  # one has a text that the other cannot hold, which the checker finds
        if self.choices.chance(40):
            return call_of("contains_all", [first, second])
        return bracketed(f"{first.text} {self.choices.one_of(SIGNS[4:])} {second.text}")

    def maybe(self, kind: Type, depth: int) -> Made:
        """A value that is now and then left unknown."""
        made = self.want(kind, depth - 1)
        return self.perhaps(made, 0) if self.choices.chance(20) else made

    def _either_list(self, element: Type, depth: int) -> Made | None:
        if self.choices.chance(40):
            return self.perhaps(self.list_of(element, depth), depth)
        first, second = self.list_of(element, depth), self.list_of(element, depth)
        kind = join(first.type, second.type)
        if kind is None or not is_settled(kind):
            return None
        if self.choices.chance(50):
            return Made(f"default({first.text}, {second.text})", kind)
        return Made(f"({first.text} if {self.condition(depth)} else {second.text})", kind)

    def filtered(self, depth: int) -> Made | None:
        """Those elements of a list that pass a filter, or what is made of them."""
        match name := self.choices.one_of(("list", "last_run", "sorted_by", "sums_by", "counts_by")):
            case "sorted_by":
                return self._over_list(name, depth, lambda inner: inner.pair(inner.rank(depth), inner.element(depth)))
            case "sums_by":
                return self._over_list(name, depth, lambda inner: inner.pair(inner.element(depth), inner.number(depth)))
        return self._over_list(name, depth, lambda inner: inner.element(depth))

    def pair(self, first: Made, second: Made) -> Made:
        """Two values in brackets, which only some aggregates take."""
        return Made(f"({first.text}, {second.text})", Tuple((first.type, second.type)))

    def rank(self, depth: int) -> Made:
        """A value by which elements are put in order."""
        own = [made for made in self.elements if isinstance(made.type, Number | Date | Instant)]
        return self.choices.one_of(own) if own and self.choices.chance(60) else self.want(KNOWN, depth)

    def element(self, depth: int, *, lists: bool = False) -> Made:
        """What a list is made of: its own elements, often; for some aggregates lists as well."""
        if lists and self.choices.chance(10):
            return self.list_of(KNOWN, depth)
        own = [made for made in self.elements if not isinstance(made.type, ListOf)]
        if own and self.choices.chance(60):
            return own[0] if self.choices.chance(60) else self.choices.one_of(own)
        return self.want(self.choices.one_of(self.value_kinds()), depth)

    # Numbers.

    def plain_number(self, depth: int) -> Made | None:
        known = self.named(Number)
        if known and self.choices.chance(75):
            return self.choices.one_of(known)
        return number_literal(self.choices.one_of(NUMBERS))

    def computed(self, depth: int) -> Made | None:
        if self.choices.chance(10):
            return call_of("percent_of", [self.number(depth), self.number(depth)])
        sign = self.choices.one_of(("+", "-", "*", "//", "%"))
        whole = sign in ("//", "%")
        left, right = self.number(depth, whole=whole), self.number(depth, whole=whole)
        right = divisor(right) if whole else right
        assert isinstance(left.type, Number)
        assert isinstance(right.type, Number)
        kind = arithmetic(sign, left.type, right.type)
        return Made(f"({left.text} {sign} {right.text})", kind) if is_settled(kind) else left

    def unary(self, depth: int) -> Made | None:
        made = self.number(depth)
        assert isinstance(made.type, Number)
        if self.choices.chance(50):
            return call_of("abs", [made])
        return Made(f"(-{made.text})", Number(made.type.places, -made.type.high, -made.type.low))

    def ratio(self, depth: int) -> Made:
        """A quotient, not rounded."""
        left, right = self.number(depth), divisor(self.number(depth))
        assert isinstance(left.type, Number)
        assert isinstance(right.type, Number)
        return Made(f"({left.text} / {right.text})", Ratio(left.type, right.type))

    def rounded(self, depth: int) -> Made | None:
        part = self.ratio(depth) if self.choices.chance(60) else self.number(depth)
        places = self.choices.one_of((2, 0, 1, 4))
        mode = self.choices.one_of(tuple(MODES))
        kind = FUNCTIONS["round"].result(part.type, Number(0, places, places), Text((mode,)))
        return Made(f'round({part.text}, {places}, "{mode}")', kind) if kind is not None and is_settled(kind) else None

    def counted(self, depth: int) -> Made | None:
        if self.choices.chance(25):
            made = self.source(depth)
            return call_of("len", [made]) if made is not None else None
        if self.choices.chance(50):
            name = self.choices.one_of(("count", "count", "longest_run"))
            return self._over_list(name, depth, lambda inner: inner.element(depth, lists=True))
        return self._over_list("sum", depth, lambda inner: inner.number(depth))

    def distance(self, depth: int) -> Made | None:
        if self.choices.chance(35):
            return call_of(self.choices.one_of(PARTS), [self.want(DATE, depth)])
        if self.choices.chance(15):
            return Made(f"(length({self.text(depth).text}) % 7)", Number(0, 0, 6))
        if self.choices.chance(15):
            days = lambda inner: inner.pair(inner.want(DATE, depth), inner.want(DATE, depth))  # noqa: E731
            return self._over_list("covered_days", depth, days)
        name = self.choices.one_of(BETWEEN)
        parts = [self.want(DATE, depth), self.want(DATE, depth)]
        if name == "business_days_between":
            parts.append(self.holidays(depth))
        if name == "years_between" and self.choices.chance(50):
            parts.append(quoted(self.choices.one_of((FEBRUARY_28, MARCH_1))))
        return call_of(name, parts)

    def number_of_choice(self, depth: int) -> Made | None:
        form = self.choices.one_of((Author.conditional, Author.defaulted, Author.picked, Author.extreme))
        return form(self, KNOWN, depth)

    # Texts, dates and instants.

    def plain_text(self, depth: int) -> Made | None:
        known = self.named(Text)
        return self.choices.one_of(known) if known and self.choices.chance(85) else quoted(self.choices.one_of(WORDS))

    def text_made(self, depth: int) -> Made | None:
        """A text made of others."""
        match self.choices.between(0, 3):
            case 0:
                return Made(f"{self.choices.one_of(('lower', 'trim'))}({self.text(depth).text})", Text())
            case 1:
                known = self.lists_of(Text)
                listed = self.choices.one_of(known).text if known else f"[{self.text(depth).text}]"
                return Made(f"join({listed}, {self.text(depth).text})", Text())
        return Made(f"concat({self.text(depth).text}, {self.text(depth).text})", Text())

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
        return call_of(name, [self.want(DATE, depth), self.number(depth, whole=True)])

    def in_business_days(self, depth: int) -> Made | None:
        count = self.choices.one_of(("1", "-1", "5", "0", "-30"))
        day = self.want(DATE, depth)
        return call_of("add_business_days", [day, number_literal(count), self.holidays(depth)])

    def holidays(self, depth: int) -> Made:
        """A named calendar, or a list of dates."""
        named = self.calendars and self.choices.chance(50)
        return Made(self.choices.one_of(self.calendars), CALENDAR) if named else self.list_of(DATE, depth)

    def at_an_end(self, depth: int) -> Made | None:
        name = (
            f"{self.choices.one_of(('first', 'last'))}_of_{self.choices.one_of(('month', 'week', 'quarter', 'year'))}"
        )
        return call_of(name, [self.want(DATE, depth)])

    def civil(self, depth: int) -> Made | None:
        return Made(f"date_of({self.want(INSTANT, depth).text})", DATE) if self.named(Instant) else None

    def day_of_choice(self, depth: int) -> Made | None:
        form = self.choices.one_of((Author.conditional, Author.defaulted, Author.picked, Author.extreme))
        return form(self, DATE, depth)

    def moved_moment(self, depth: int) -> Made | None:
        if not self.named(Instant):
            return None
        name = self.choices.one_of(("add_hours", "add_minutes"))
        return call_of(name, [self.want(INSTANT, depth), self.number(depth, whole=True)])

    def plain_time(self, depth: int) -> Made | None:
        known = self.named(Time)
        return self.choices.one_of(known) if known else None

    def time_of_day(self, depth: int) -> Made | None:
        return call_of("time_of", [self.want(INSTANT, depth)]) if self.named(Instant) else None

    def time_of_choice(self, depth: int) -> Made | None:
        form = self.choices.one_of((Author.conditional, Author.defaulted, Author.picked, Author.extreme))
        return form(self, TIME, depth)

    def time_of_record(self, depth: int) -> Made | None:
        return self.member(TIME, depth)

    def passed(self, depth: int) -> Made | None:
        if not self.named(Instant):
            return None
        name = f"{self.choices.one_of(('hours', 'minutes', 'seconds'))}_between"
        return call_of(name, [self.want(INSTANT, depth), self.want(INSTANT, depth)])

    def plain_moment(self, depth: int) -> Made | None:
        return self.choices.one_of(self.named(Instant))

    def moment_of_choice(self, depth: int) -> Made | None:
        form = self.choices.one_of((Author.conditional, Author.defaulted, Author.picked, Author.extreme))
        return form(self, INSTANT, depth)


def _words(made: Made) -> tuple[str, ...]:
    """The texts that elements of a list come from, none where any text may come."""
    element = made.type.element if isinstance(made.type, ListOf) else None
    return (element.values or ()) if isinstance(element, Text) else ()


Forms = tuple[Callable[[Author, int], Made | None], ...]
CONDITIONS: Forms = (
    Author.plain_condition, Author.negated, Author.joined, Author.joined, Author.numbers_compared, Author.numbers_compared,
    Author.dates_compared, Author.equal, Author.equal, Author.member_of_list, Author.asked, Author.tested, Author.reading,
    Author.quantified, Author.lists_compared, Author.ratios_compared, Author.condition_of_choice, Author.flag_of_record,
    Author.flag_looked_up,
)  # fmt: skip
NUMERIC: Forms = (
    Author.plain_number, Author.plain_number, Author.computed, Author.computed, Author.unary, Author.rounded, Author.counted,
    Author.counted, Author.distance, Author.passed, Author.number_of_choice, Author.number_of_choice, Author.number_of_record,
    Author.number_looked_up, Author.number_looked_up,
)  # fmt: skip
TEXTS: Forms = (
    Author.plain_text, Author.plain_text, Author.text_of_choice, Author.text_of_record, Author.text_made,
    Author.text_looked_up,
)  # fmt: skip
DAYS: Forms = (
    Author.plain_day, Author.plain_day, Author.moved, Author.at_an_end, Author.civil, Author.in_business_days,
    Author.day_of_choice, Author.day_of_record, Author.day_looked_up,
)  # fmt: skip
MOMENTS: Forms = (
    Author.plain_moment, Author.plain_moment, Author.moment_of_choice, Author.moment_of_record, Author.moved_moment,
)  # fmt: skip
TIMES: Forms = (
    Author.plain_time, Author.plain_time, Author.time_of_day, Author.time_of_choice, Author.time_of_record,
)  # fmt: skip
