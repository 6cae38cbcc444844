"""What accounts use of the rules, as the terminal shows it."""

from __future__ import annotations

from collections.abc import Iterator

from policy_engine.analysis.accounts import Accounts, Used, in_words
from policy_engine.cli.coverage import show_gaps
from policy_engine.cli.show import console, safe


def show_accounts(accounts: Accounts) -> None:
    """Show who comes by which rule, and beside the lines what no account uses, or what only accounts do."""
    out = console()
    for line in summary(accounts):
        out.print(safe(line), soft_wrap=True)
    show_gaps(accounts.remarks, "remark")
    for line in limits(accounts):
        out.print(safe(line), soft_wrap=True)


def summary(accounts: Accounts) -> Iterator[str]:
    """How many accounts there are, and how many come by each rule and cell."""
    uses, ruleset = accounts.uses, accounts.ruleset
    counts = (
        f"{uses.rows:,} {'row' if uses.rows == 1 else 'rows'}, {uses.valid:,} valid, {uses.rows - uses.valid:,} invalid"
    )
    yield f"accounts of {accounts.table} by {ruleset.id} {ruleset.version}, as of {accounts.as_of}: {counts}"
    yield from (f"  {each.item.what}: {_by(each)}" for each in accounts.ways)


def _by(used: Used) -> str:
    return in_words(used.use) if used.use is not None else "no account"


def limits(accounts: Accounts) -> Iterator[str]:
    """Facts that nobody fills, values that no case has, and what was not looked at."""
    if accounts.unfilled:
        yield f"facts that no account has: {', '.join(accounts.unfilled)}"
    for fact, words, use in accounts.untried:
        yield f"no case has `{fact}` {words}, but {in_words(use)}"
    if accounts.uses.left_out:
        yield f"conditions on elements of lists, which were not looked at over accounts: {accounts.uses.left_out}"
    if accounts.constant:
        yield f"conditions that depend on no fact, and so are the same for all accounts: {accounts.constant}"
    yield "over accounts only rules, cells, checks, branches, and conditions being true and false are counted"
