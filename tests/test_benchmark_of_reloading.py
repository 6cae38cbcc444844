"""What the benchmark of reloading counts: it must see an answer by rules that had been left."""

from __future__ import annotations

import pytest

from benchmarks.service.reloading import Asked, turned_back

CASES: list[tuple[str, list[Asked], list[Asked]]] = [
    ("in order", [(0.0, 1.0, "a"), (1.0, 2.0, "a"), (2.0, 3.0, "b")], []),
    ("asked before the change was seen, answered after", [(0.0, 3.0, "a"), (1.0, 2.0, "b")], []),
    ("asked after the change was seen", [(0.0, 1.0, "a"), (1.0, 2.0, "b"), (2.5, 3.0, "a")], [(2.5, 3.0, "a")]),
    ("back to the first of three", [(0.0, 1.0, "a"), (1.0, 2.0, "b"), (2.0, 3.0, "c"), (4.0, 5.0, "b")], [(4.0, 5.0, "b")]),
]  # fmt: skip


@pytest.mark.parametrize(("what", "asked", "expected"), CASES, ids=[what for what, _, _ in CASES])
def test_answers_by_rules_that_had_been_left_are_seen(what: str, asked: list[Asked], expected: list[Asked]) -> None:
    assert turned_back(asked) == expected
