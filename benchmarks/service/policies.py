"""The permission matrix as a policy of Cerbos: for each role and word of the legend one rule, with its reason as an output."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import yaml

from benchmarks.service.questions import RESOURCE, permission
from policy_engine import Engine
from policy_engine.language.rulesets import Cell, Conclusion, Matrix

PARTNERSHIP = 'R.attr.acting_in in ["partner_account", "client_account"]'
SINGLE_BILL = f"{PARTNERSHIP} && R.attr.billing_scope_is_single_bill"
CONDITIONS = {
    "client": 'R.attr.acting_in == "client_account"',
    "single_bill": SINGLE_BILL,
    "view_billing": SINGLE_BILL,
    "reseller": 'R.attr.partner_type == "reseller"',
}
"""The conditions of the legend, in CEL."""


def write_policies(engine: Engine, folder: Path) -> None:
    """Write the policy into a folder."""
    matrix = permission(engine).body
    assert isinstance(matrix, Matrix)
    cells: dict[tuple[str, str], list[Cell]] = defaultdict(list)
    for cell in matrix.cells:
        cells[str(cell.column), cell.label].append(cell)
    rules = [_rule(role, label, alike) for (role, label), alike in cells.items()]
    policy = {"resource": RESOURCE, "version": "default", "rules": rules}
    document = {"apiVersion": "api.cerbos.dev/v1", "resourcePolicy": policy}
    (folder / "account.yaml").write_text(yaml.safe_dump(document, sort_keys=False), "utf-8")


def _rule(role: str, label: str, alike: list[Cell]) -> dict[str, object]:
    """The rule for all activities whose cell says the same to a role."""
    cell = alike[0]
    reasons = {"ruleActivated": _reason(cell.then)}
    rule: dict[str, object] = {
        "name": f"{role}-{label}",
        "actions": [str(each.row) for each in alike],
        "effect": f"EFFECT_{str(cell.then.outcome).upper()}",
        "roles": [role],
    }
    if label in CONDITIONS:
        rule["condition"] = {"match": {"expr": CONDITIONS[label]}}
    if cell.otherwise is not None:
        reasons["conditionNotMet"] = _reason(cell.otherwise)
    return {**rule, "output": {"when": reasons}}


def _reason(conclusion: Conclusion) -> str:
    """The sentence, as a text in CEL."""
    assert conclusion.because is not None
    return f'"{"".join(map(str, conclusion.because.parts))}"'
