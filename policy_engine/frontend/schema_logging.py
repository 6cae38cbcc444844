"""What a schema says of the decision log: what of each fact is kept, and which fact is the account that a record is about."""

from __future__ import annotations

from collections.abc import Iterator

from policy_engine.diagnostics import Diagnostic, say
from policy_engine.documents.nodes import MappingNode, YamlNode
from policy_engine.frontend.schema_keywords import MOST_LEVELS, chain_of, text_of
from policy_engine.language.types import ListOf, Logged, Member, Number, Record, Text, Type, record_in

ACCOUNT = "x-account"


def logged_as(root: MappingNode, node: YamlNode) -> tuple[Logged, Logged]:
    """What of a fact the log keeps, and what of each element where it is a list, or a list of lists.

    Where a part and what it refers to differ, the part itself says it.
    """
    chain = chain_of(root, node)
    whole, elements = _said(chain), Logged.KEEP
    for _ in range(MOST_LEVELS):
        items = chain[-1].get("items") if chain else None
        chain = chain_of(root, items) if items is not None else []
        elements = _said(chain) if elements is Logged.KEEP else elements
    return whole, elements


def _said(chain: list[MappingNode]) -> Logged:
    said = (text_of(part, "x-log") for part in chain)
    return next((Logged(text) for text in said if text in list(Logged)), Logged.KEEP)


def account_faults(record: Record) -> Iterator[Diagnostic]:
    """What is wrong with the facts marked as the account: it is one text or integer, in no list."""
    known = ""
    for pointer, member, in_list in _accounts(record, "", in_list=False):
        if in_list or not _names_one(member.type):
            yield _fault(member, pointer, "mark a text or an integer that is in no list")
        elif known:
            yield _fault(member, pointer, f"`{known}` is marked already, and a record is about one account")
        else:
            known = member.name


def _accounts(record: Record, pointer: str, *, in_list: bool) -> Iterator[tuple[str, Member, bool]]:
    """The facts that are marked, each with its place and whether it is in a list."""
    for member in record.members:
        here, below = f"{pointer}/properties/{member.name}", record_in(member.type)
        is_list = isinstance(member.type, ListOf)
        if member.account:
            yield here, member, in_list
        elif below is not None:
            yield from _accounts(below, f"{here}/items" if is_list else here, in_list=in_list or is_list)


def _names_one(kind: Type) -> bool:
    return isinstance(kind, Text) or (isinstance(kind, Number) and not kind.places)


def _fault(member: Member, pointer: str, hint: str) -> Diagnostic:
    return say("schema-account", member.span, hint=hint, pointer=pointer)
