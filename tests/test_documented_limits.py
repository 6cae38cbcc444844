"""`docs/safety.md` names every limit with the number that the code has."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping

from policy_engine.diagnostics import shown_text
from policy_engine.documents import facts_files, nodes, yaml_reader
from policy_engine.facts import plain, violations
from policy_engine.frontend import context, csv_rows, expressions, loader, patterns, schemas
from policy_engine.language import lookup_indexes, types
from tests.conftest import ROOT

PAGE = (ROOT / "docs/safety.md").read_text("utf-8")
ROW = re.compile(r"^\| (?P<limit>[^|]+?) \| (?P<number>[0-9,]+) \|", re.MULTILINE)
LIMITS: Mapping[str, int] = {
    "`LARGEST_FILE`": yaml_reader.LARGEST_FILE,
    "`yaml_reader.MOST_PARTS`": yaml_reader.MOST_PARTS,
    "`yaml_reader.DEEPEST`": yaml_reader.DEEPEST,
    "`LONGEST`": expressions.LONGEST,
    "`DEEPEST_BRACKETS`": expressions.DEEPEST_BRACKETS,
    "`DEEPEST_TREE`": expressions.DEEPEST_TREE,
    "`types.DIGITS`": types.DIGITS,
    "`nodes.MOST_DIGITS`": nodes.MOST_DIGITS,
    "`schemas.DEEPEST`": schemas.DEEPEST,
    "`csv_rows.LARGEST_FILE`": csv_rows.LARGEST_FILE,
    "`MOST_PIECES`": lookup_indexes.MOST_PIECES,
    "`MOST_MEMBERS`": schemas.MOST_MEMBERS,
    "`LONGEST_NAME`": loader.LONGEST_NAME,
    "`LONGEST_SENTENCE`": context.LONGEST_SENTENCE,
    "`LONGEST_CHAIN`": context.LONGEST_CHAIN,
    "`LARGEST_EXPONENT`": nodes.LARGEST_EXPONENT,
    "`LONGEST_PATTERN`": patterns.LONGEST_PATTERN,
    "`patterns.MOST_PARTS`": patterns.MOST_PARTS,
    "`plain.DEEPEST`": plain.DEEPEST,
    "`plain.DIGITS`": plain.DIGITS,
    "`MOST_VALUES`": plain.MOST_VALUES,
    "`MOST_UNFIT`": plain.MOST_UNFIT,
    "`MOST_VIOLATIONS`": violations.MOST_VIOLATIONS,
    "`LARGEST_FACTS`": facts_files.LARGEST_FACTS,
    "`LONGEST_NUMBER`": facts_files.LONGEST_NUMBER,
    "`LARGEST_RECORD`": facts_files.LARGEST_RECORD,
    "of an author's word": inspect.signature(shown_text).parameters["limit"].default,
}


def numbers() -> Iterator[tuple[str, int]]:
    """The limits of the page with their numbers."""
    for row in ROW.finditer(PAGE):
        yield row["limit"], int(row["number"].replace(",", ""))


def test_the_page_has_the_numbers_of_the_code() -> None:
    told = dict(numbers())
    for name, number in LIMITS.items():
        (found,) = [value for limit, value in told.items() if name in limit]
        assert (name, found) == (name, number)


def test_the_page_names_no_limit_that_the_code_lacks() -> None:
    assert [limit for limit, _ in numbers() if not any(name in limit for name in LIMITS)] == []
