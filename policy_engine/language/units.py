"""The unit of a number in an expression: that of the names it is made of, or what a function counts.

A sum of days is days; euros times days are neither, and euros per day times days are euros.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from policy_engine.language import expressions as tree
from policy_engine.language.functions import AGGREGATES, FUNCTIONS
from policy_engine.language.rulesets import Ruleset
from policy_engine.language.types import Record, member_of

ELEMENT_UNIT = frozenset({"first", "last", "last_run", "list", "max", "min", "sum"})
"""Aggregates whose result has the unit of their element."""
CONVERTING = frozenset({7, 12, 24, 30, 52, 60, 100, 360, 365, 1000, 1440, 3600, 86_400})
"""Factors that may turn one unit into another, such as weeks into days."""
PERCENT = "percent"
SYNONYMS: Mapping[str, str] = MappingProxyType(
    {
        "calendar days": "days",
        "working days": "business days",
        **dict.fromkeys(("%s", "percents", "per cents"), PERCENT),
        **dict.fromkeys(("eurs", "euros", "\u20acs"), "EUR"),
        **dict.fromkeys(("usds", "us dollars"), "USD"),
        **dict.fromkeys(("gbps", "british pounds", "pounds sterlings", "\u00a3s"), "GBP"),
        **dict.fromkeys(("chfs", "swiss francs"), "CHF"),
    }
)
"""Plurals in small letters, and how the unit is called here."""


@dataclass(frozen=True, slots=True)
class Unit:
    """What a number counts: named units with their powers, in order of name. `words` are those of an author, "" for a product.

    Two are equal where they count the same. One without any named unit is that of a plain number, such as days per day.
    """

    powers: tuple[tuple[str, int], ...]
    words: str = field(default="", compare=False)

    def times(self, other: Unit, power: int = 1) -> Unit:
        """The unit of a product; with the power -1 that of a quotient."""
        if not other.powers:
            return self
        found = Counter(dict(self.powers))
        for name, exponent in other.powers:
            found[name] += power * exponent
        powers = tuple(sorted((name, exponent) for name, exponent in found.items() if exponent))
        return Unit(powers, powers[0][0] if len(powers) == 1 and powers[0][1] == 1 else "")

    @property
    def name(self) -> str:
        """The unit in words that are the same for all who count the same: `days`, `EUR times days`, `EUR per day`."""
        over = [name for name, exponent in self.powers for _ in range(exponent)]
        under = [name.removesuffix("s") for name, exponent in self.powers for _ in range(-exponent)]
        return " per ".join([" times ".join(over) or "one", *under])


PLAIN = Unit(())
"""The unit of a plain number."""


def unit_of(words: str) -> Unit:
    """The unit that an author's words name, in whatever number and letters: `calendar day` counts days."""
    plain = " ".join(words.lower().replace("-", " ").replace("per cent", PERCENT).split())
    first, *others = (Unit(((_named(part), 1),)) for part in plain.split(" per "))
    for other in others:
        first = first.times(other, -1)
    return Unit(first.powers, words)


def _named(plain: str) -> str:
    several = plain if plain.endswith("s") else f"{plain}s"
    return SYNONYMS.get(several, several)


@dataclass(frozen=True, slots=True)
class Units:
    """Finds units: `named` gives that of a name (a fact, a member, a parameter, a definition, a column), None if it has none."""

    named: Callable[[tree.Node], Unit | None]

    def of(self, node: tree.Node) -> Unit | None:
        """The unit of a number; None where it has none or none is certain."""
        found = self._found(node)
        return found if found != PLAIN else None

    def common(self, nodes: Iterable[tree.Node]) -> Unit | None:
        """The unit of numbers that are added or compared: the only one that any of them has; None where two differ."""
        found = list(dict.fromkeys(unit for node in nodes if (unit := self.of(node)) is not None))
        return found[0] if len(found) == 1 else None

    def _found(self, node: tree.Node) -> Unit | None:
        match node:
            case tree.Negate(operand=operand):
                return self._found(operand)
            case tree.Conditional(then=then, otherwise=otherwise):
                return self.common((then, otherwise))
            case tree.Aggregate(function=function, element=element) if function in ELEMENT_UNIT:
                return self._found(element)
            case tree.Aggregate(function="sums_by" | "sorted_by", element=tree.Tuple(parts=(_, element))):
                return self._found(element)
            case tree.Aggregate(function=function):
                unit = AGGREGATES[function].unit
                return unit_of(unit) if unit else None
            case tree.Call():
                return self._of_call(node)
            case tree.Arithmetic():
                return self._of_arithmetic(node)
        return self.named(node)

    def _of_call(self, call: tree.Call) -> Unit | None:
        function = FUNCTIONS[call.function]
        if function.common_type:
            return self.common(call.arguments)
        if function.unit_of is not None:
            return self._found(call.arguments[function.unit_of])
        return unit_of(function.unit) if function.unit else None

    def _of_arithmetic(self, node: tree.Arithmetic) -> Unit | None:
        if node.operator in ("+", "-"):
            return self.common((node.left, node.right))
        left, right = self._factor(node.left), self._factor(node.right)
        if left is None or right is None:
            return None
        if node.operator == "%":
            return left
        return left.times(right, 1 if node.operator == "*" else -1)

    def _factor(self, node: tree.Node) -> Unit | None:
        """The unit of a factor: a number written out is a plain one, unless it may turn one unit into another."""
        match node:
            case tree.Negate(operand=operand):
                return self._factor(operand)
            case tree.Literal(value=value) if type(node) is not tree.Constant:
                return None if value in CONVERTING else PLAIN
        return self._found(node)


def written_units(ruleset: Ruleset) -> Units:
    """The units of a ruleset's names as their authors wrote them."""
    parameters = {each.name: each.unit for each in ruleset.parameters}
    return units_by(parameters, lambda name: ruleset.definition(name).body, ruleset.facts.type)


def units_by(parameters: Mapping[str, str | None], body: Callable[[str], tree.Condition], facts: Record) -> Units:
    """The units of names: of parameters as written, of facts by the schema, and through the bodies of definitions, each once."""
    known: dict[str, Unit | None] = {}

    def named(node: tree.Node) -> Unit | None:
        match node:
            case tree.Parameter(name=name):
                words = parameters.get(name)
                return unit_of(words) if words else None
            case tree.Definition(name=name):
                if name not in known:
                    known[name] = None  # until it is found, for it may lead back to itself
                    found = body(name)
                    known[name] = units.of(found.tree) if isinstance(found, tree.Expression) else None
                return known[name]
        return declared_unit(facts, node)

    units = Units(named)
    return units


def declared_unit(facts: Record, node: tree.Node) -> Unit | None:
    """The unit that the schema gives a fact or a member, or its table the cell of a column; None for any other node."""
    match node:
        case tree.Lookup(table=table, column=column):
            words = table.column(column).unit
            return unit_of(words) if words else None
        case tree.Fact(name=name):
            member = member_of(facts, name)
        case tree.MemberOf(record=tree.Node(type=Record() as record), name=name):
            member = member_of(record, name)
        case _:
            return None
    return unit_of(member.unit) if member is not None and member.unit else None
