"""What editors offer while somebody types: each case of `tests/data/editor_offers.yaml`."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest

from policy_engine.documents.nodes import plain
from policy_engine.documents.yaml_reader import read_file
from policy_engine.lsp.completion import offers_at
from policy_engine.lsp.offers import Offer
from policy_engine.lsp.workspace import Snapshot
from tests.conftest import ROOT
from tests.support.workspaces import below, looked_at


def cases() -> list[dict[str, Any]]:
    """The cases of the file."""
    _, node, faults = read_file(ROOT / "tests" / "data" / "editor_offers.yaml")
    assert node is not None
    assert not faults
    document: Any = plain(node)
    return list(document["offers"])


@cache
def snapshot_of(folder: Path) -> Snapshot:
    """What is known of the files of a folder of rules, as they stand on the disk."""
    return looked_at(next(folder.glob("*.yaml")))


def offered(case: dict[str, Any]) -> list[Offer]:
    """What is offered at the caret of a case."""
    path = ROOT / case["file"]
    caret = below(path, case["below"], case["write"])
    return offers_at(snapshot_of(path.parent), path, caret.text.split("\n"), caret.line, caret.column)


@pytest.mark.parametrize("case", cases(), ids=lambda case: str(case["write"]).strip().replace("\n", " "))
def test_what_is_offered(case: dict[str, Any]) -> None:
    offers = offered(case)
    labels = [offer.label for offer in offers]
    assert case.keys() & {"first", "among", "not", "none"}
    assert labels[: len(case.get("first", ()))] == case.get("first", [])
    assert [name for name in case.get("among", ()) if name not in labels] == []
    assert [name for name in case.get("not", ()) if name in labels] == []
    assert not (case.get("none") and labels)
    assert "writes" not in case or offers[0].text == case["writes"]


def told(write: str, label: str, file: str = "examples/rules/shop.yaml", line: str = "definitions:") -> tuple[str, str]:
    """What is said of one of the things that are offered."""
    offers = offered({"file": file, "below": line, "write": write})
    offer = next(offer for offer in offers if offer.label == label)
    return offer.described.summary, offer.described.text


def test_what_is_offered_says_what_it_is() -> None:
    assert told("  a: |", "amount") == (
        "decimal of EUR, 0.00 to 100000.00",
        "What the goods cost without VAT.\n\nA fact of the schema `order`.",
    )
    assert told("  a: |", "paid_on")[0] == "date, may be absent"
    assert told("  a: |", "condition")[1].startswith(
        "How the goods came back.\n\nOne of `sealed`, `opened`, `damaged`."
    )
    assert told("  a: |", "return_window")[0] == "integer of days, 14 to 30"
    assert "- `14` from 2020-01-01 until 2024-07-01\n- `30` from 2024-07-01" in told("  a: |", "return_window")[1]
    assert told("  a: |", "price")[1].endswith("A definition of the library `trade`.")
    assert told("  a: |", "days_between") == (
        "days_between(start, end)",
        "Civil days from the start to the end; negative where the end is earlier.\n\n"
        'For example, `days_between(moved, day)` is `60`, where `moved` is `"2025-01-01"`, `day` is `"2025-03-02"`.',
    )


def test_a_key_says_what_it_means_and_whether_it_must_be_there() -> None:
    written = "      - id: a\n        |\n"
    assert told(written, "then", line="    rules:") == ("required", "the outcome")
    assert told(written, "source", line="    rules:") == ("a key", "the id of the source, or a list of ids")


def test_what_is_chosen_takes_the_place_of_what_was_written_of_it() -> None:
    case = {"file": "examples/rules/shop.yaml", "below": "definitions:", "write": "  a: known(pai|"}
    assert {offer.over for offer in offered(case)} == {len("pai")}
