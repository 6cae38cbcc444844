"""What is said where facts are no JSON: the place where a person would look, and what to write."""

from __future__ import annotations

import pytest

from policy_engine.documents.facts_files import read_json

FAULTS = {
    '\u00a0{"a": 10}': "1: a blank that JSON does not have stands here (U+00A0, no-break space); write an ordinary one",
    '{"a":\u00a010}': "6: a blank that JSON does not have stands here (U+00A0, no-break space); write an ordinary one",
    '{\u200b"a": 1}': "2: a blank that JSON does not have stands here (U+200B, zero width space); leave it out",
    '{"a": 010}': "7: `010` is no number: leave out the zeros in front, or put a text in double quotes",
    '{"a": 08989}': "7: `08989` is no number: leave out the zeros in front, or put a text in double quotes",
    '{"a": 1_000}': "7: `1_000` is no number: leave out the underscores",
    '{"a": +5}': "7: `+5` is no number: leave out the plus",
    '{"a": .5}': "7: `.5` is no number: write a zero before the point",
    '{"a": 5.}': "7: `5.` is no number: write a digit behind the point, or leave it out",
    '{"a": 0x1F}': "7: `0x1F` is no number: write it with the digits 0 to 9",
    '{"a": 1,5}': "8: a decimal has a point, not a comma",
    '{"a": 1, 5}': "10: names and texts stand in double quotes",
    '{"a": 1 000}': "7: a comma is missing after this",
    '{"a": 5%}': "8: `%` stands where a comma or a closing bracket should",
    '{"a": 10 EUR}': "10: `EUR` stands where a comma or a closing bracket should",
    '{"a": 1; "b": 2}': "8: `;` stands where a comma or a closing bracket should",
    '{"a": 12abc}': "7: `12abc` is no value: texts stand in double quotes",
    '{"a": 2025-01-01}': "7: `2025-01-01` is no value: texts stand in double quotes",
    '{"a": True}': "7: `True` is no value: write `true`",
    '{"a": FALSE}': "7: `FALSE` is no value: write `false`",
    '{"a": None}': "7: `None` is no value: write `null`",
    '{"a": undefined}': "7: `undefined` is no value: write `null`",
    '{"a": yes}': "7: `yes` is no value: texts stand in double quotes",
    '{"a": \u201cx\u201d}': "7: `\u201c` is a curly quote: texts stand in straight ones",
    "{\u201ca\u201d: 1}": "2: names and texts stand in double quotes",
    "{'a': 1}": "2: names and texts stand in double quotes",
    '{"a": 1 "b": 2}': "7: a comma is missing after this",
    '{"a" 1}': "2: a colon is missing after this name",
    '{"a": 1,}': "9: a comma stands before a closing bracket",
    '{"a": 1]': "8: a bracket of another kind closes what was opened",
    "[1,,2]": "4: a value is missing here",
    '{"a": 1 // one': "9: `/` stands where a comma or a closing bracket should",
    '{"a": // one': "7: it has no comments",
}


@pytest.mark.parametrize(("text", "told"), FAULTS.items())
def test_d3_a_fault_of_json_is_told_at_its_sign_with_what_to_write(text: str, told: str) -> None:
    with pytest.raises(ValueError, match="not JSON") as caught:
        read_json(text)
    assert str(caught.value) == f"not JSON at line 1, column {told}"
