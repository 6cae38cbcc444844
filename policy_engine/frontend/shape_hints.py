"""Hints for values of the wrong shape and for keys at the wrong place."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

from policy_engine.diagnostics import Diagnostic, did_you_mean, meaning, say, shown_text
from policy_engine.documents.nodes import MappingNode, ScalarNode, SequenceNode, YamlNode
from policy_engine.documents.quoting import NEXT_LINE, in_quotes
from policy_engine.fixes import Advice, Hint
from policy_engine.frontend import shapes
from policy_engine.frontend.shapes import Shape
from policy_engine.language.date_texts import DAY
from policy_engine.source import Authored

ISO_DATE = re.compile(DAY)
WORDS = re.compile(r"[^\s,;|/]+(?:\s*[\s,;|/]\s*[^\s,;|/]+)+")
BETWEEN = re.compile(r"\s*[,;|/]\s*|\s+")
FILLERS = frozenset({"or", "and"})
NEEDS_QUOTES = re.compile(r"[,\[\]{}:#\"'&*!|>%@`]")
INDENT: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(shapes.DECISION.names, "a decision: indent it as far as the decision's `question`"),
        **dict.fromkeys(("id", "when", "then"), "a rule: indent it as far as the rule's `id`"),
    }
)
"""Keys that belong to one shape only, and where they belong."""


OTHER_WORDS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        shapes.RULE.thing: {"if": "when", "condition": "when", "name": "id", "outcome": "then", "reason": "because"},
        shapes.DECISION.thing: {"default": "otherwise", "else": "otherwise", "options": "outcomes"},
        shapes.GROUP.thing: {"and": "all", "or": "any", "not": "none"},
        shapes.PARAMETER.thing: {"default": "value", "amount": "value", "description": "meaning"},
        shapes.TABLE.thing: {
            "file": "from",
            "csv": "from",
            "default": "otherwise",
            "else": "otherwise",
            "values": "rows",
        },
        shapes.RANGE.thing: {"to": "below", "until": "below", "min": "from", "max": "below", "above": "from"},
        shapes.EFFECTIVE.thing: {"to": "until", "end": "until", "start": "from", "since": "from"},
        shapes.RULESET.thing: {
            "import": "use",
            "imports": "use",
            "include": "use",
            "includes": "use",
            "libraries": "use",
        },
        shapes.SOURCE.thing: {"name": "title", "link": "url", "date": "updated"},
        shapes.CHECK.thing: {"if": "expect", "when": "expect", "condition": "expect", "message": "because"},
    }
)
"""For each shape, what other languages call its keys."""
SAME = frozenset(
    {
        *(("if", "when"), ("condition", "when"), ("outcome", "then"), ("reason", "because"), ("message", "because")),
        *(("options", "outcomes"), ("and", "all"), ("or", "any"), ("amount", "value"), ("description", "meaning")),
        *(("file", "from"), ("csv", "from"), ("link", "url"), ("start", "from"), ("since", "from")),
    }
)
"""Other words that say just what the key says: `to` may be the last day, and `until` is the first one outside."""
AMOUNT = re.compile(
    r"(?P<before>[$\u20ac\u00a3])?\s*(?P<number>[0-9]{1,3}(?:[,\u00a0 ][0-9]{3})+|[0-9]+)(?P<places>\.[0-9]+|,[0-9]{1,2})?"
    r"\s*(?P<unit>%|[^\W\d_][\w ]*|[$\u20ac\u00a3])?"
)
LONGEST_AMOUNT = 60
BOOLEAN_WORDS = {"yes": "true", "no": "false", "on": "true", "off": "false", "true": "true", "false": "false"}
"""What people write for true and false."""
UNITS = {"%": "percent", "$": "dollars", "\u20ac": "euros", "\u00a3": "pounds"}


def meant(key: str, shape: Shape) -> Hint | None:
    """The hint with the key of a shape that another was probably meant to be, None where none is near."""
    if _is_of_ruleset(key, shape):
        return None
    word = OTHER_WORDS.get(shape.thing, {}).get(key)
    return did_you_mean(key, shape.names) if word is None else meaning(key, word, sure=(key, word) in SAME)


def _is_of_ruleset(key: str, shape: Shape) -> bool:
    """Whether a key of a library is one that only rulesets have."""
    return shape is shapes.LIBRARY and key in shapes.RULESET.names and key not in shape.names


def home_of(key: str, shape: Shape) -> str | None:
    """Where a key belongs that has no meaning in a shape; None where it does not belong to exactly one other shape."""
    if _is_of_ruleset(key, shape):
        return f"only a ruleset has `{key}`, and takes parts of this library under its `use`"
    return f"`{key}` belongs to {INDENT[key]}" if key in INDENT and key not in shape.names else None


OUTSIDE_RULES: Mapping[str, str] = MappingProxyType(
    {key: home for key in INDENT if (home := home_of(key, shapes.RULE)) is not None}
)
"""Where the keys belong that no rule has: what the YAML reader says where one stands among the rules of a list."""


def is_outdented(name: str, node: YamlNode) -> bool:
    """Whether what stands among decisions is no decision of that name, but a key of the decision above."""
    if name not in ("rules", "otherwise", "matrix", "outcomes", "with", "values", "hit", "because", "source"):
        return False
    keys = {key.value for key, _ in node.entries} if isinstance(node, MappingNode) else set()
    return not keys & {"question", "rules", "outcomes"}


def as_mapping(name: str, node: YamlNode, shape: Shape) -> Advice | None:
    """The mapping to write in place of a text or a list."""
    if isinstance(node, SequenceNode) and shape is shapes.PARAMETER and node.flow:
        return _in_place_of(node.raw, name, f"{{value: {node.raw}}}")
    text = node.text.value.strip() if isinstance(node, ScalarNode) else ""
    if isinstance(node, ScalarNode) and text and shape.thing in MAPPINGS:
        return _in_place_of(node.text.raw, name, MAPPINGS[shape.thing](text))
    return _FORMS[shape.thing](text) if text and shape.thing in _FORMS else None


def _in_place_of(raw: str, name: str, mapping: str) -> Hint:
    return Hint(f"write `{shown_text(f'{name}: {mapping}')}`", raw, mapping, as_is=True)


OF_NAME: Mapping[str, str] = MappingProxyType({"combine": "{{a_value: {}}}", "use": "{{{}: [a_part]}}"})
"""How the one name that an author wrote stands in a mapping of names."""


def as_names(key: str, node: YamlNode) -> str | None:
    """What to write in place of a text, or of a list, of things that have names."""
    if isinstance(node, ScalarNode) and key in OF_NAME:
        return f"write `{key}: {OF_NAME[key].format(node.text.value)}`"
    if not isinstance(node, SequenceNode) or not node.items:
        return None
    first = node.items[0]
    names = {name.value: value for name, value in first.entries} if isinstance(first, MappingNode) else {}
    named = names.get("name") or names.get("id")
    named = first if isinstance(first, ScalarNode) else named
    name = named.text.value if isinstance(named, ScalarNode) else next(iter(names), "a_name")
    if key in ("keys", "columns"):
        return f"write each name with the type of its cells: `{key}: {{{name}: text}}`"
    return f"write each name as a key, without `- `: `{key}:`, and below it `{name}:`"


def separate(text: str) -> list[str] | None:
    """The single words that a text with blanks, commas or other signs between them lists; None where it is one word."""
    if not WORDS.fullmatch(text.strip()):
        return None
    return [word for word in BETWEEN.split(text.strip()) if word not in FILLERS]


def several_items(text: Authored, words: list[str]) -> Diagnostic:
    """The diagnostic for an item of a list that is several items without commas between them."""
    shown = " and ".join(f"`{word}`" for word in words)
    hint = Hint(as_list(words), text.raw, ", ".join(words), as_is=True)
    return say("comma-missing", text.span, hint=hint, text=text.value, words={"words": shown})


def as_list(words: list[str]) -> str:
    """The list to write, its items as they stand."""
    return f"write `[{', '.join(words)}]`"


def _flow(text: str) -> str:
    """A text as it may stand between braces."""
    return in_quotes(text) if NEEDS_QUOTES.search(text) else NEXT_LINE.sub(" ", text)


def amount_in(text: str) -> tuple[str, str] | None:
    """The number and the unit, "" where it has none, of a text such as `1,000 euros`; None where it is no amount."""
    amount = AMOUNT.fullmatch(text) if len(text) <= LONGEST_AMOUNT else None
    if amount is None:
        return None
    number = re.sub(r"[,\u00a0 ]", "", amount["number"]).lstrip("0") or "0"
    named = (amount["unit"] or amount["before"] or "").strip()
    return f"{number}{(amount['places'] or '').replace(',', '.')}", UNITS.get(named, named)


def _parameter(text: str) -> str:
    amount = amount_in(text)
    if ISO_DATE.fullmatch(text):
        return f"{{value: {text}, type: date}}"
    if amount is not None:
        number, unit = amount
        return f"{{value: {number}{f', unit: {unit}' if unit else ''}}}"
    return f"{{value: {_flow(text)}}}"


MAPPINGS: Mapping[str, Callable[[str], str]] = MappingProxyType(
    {
        shapes.PARAMETER.thing: _parameter,
        shapes.SOURCE.thing: lambda text: f"{{title: {_flow(text)}}}",
        shapes.LEGEND.thing: lambda text: f"{{then: {_flow(text)}}}",
    }
)
"""The mapping that a text stands for under its name."""
_FORMS: Mapping[str, Callable[[str], str]] = MappingProxyType(
    {
        shapes.CHECK.thing: lambda text: f"write `- {{expect: {_flow(text)}, because: ...}}`",
        shapes.SILENCE.thing: lambda text: f"write `- {{code: {_flow(text)}, because: ...}}`",
        shapes.RULE.thing: lambda _: "a rule has `id:`, `when:`, `then:` and `because:`",
        shapes.READING.thing: lambda _: "a reading has `question:`, `choice:` and `choices:`",
        shapes.DECISION.thing: lambda _: (
            "a decision has a `question:`, and rules, a matrix or values; "
            "a condition or an amount with a name goes into `definitions:`"
        ),
    }
)
