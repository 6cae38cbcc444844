"""Where the references of a schema lead, and what a part of a schema says by way of them."""

from __future__ import annotations

from urllib.parse import quote

from policy_engine.documents.nodes import MappingNode, ScalarNode, YamlNode
from policy_engine.language.schema_documents import leads_to_schema, steps_of

AS_THEY_ARE = "#/~!$&'()*+,;=:@?"
"""Signs that a reference may have beside letters and digits."""
Steps = tuple[str, ...]


def text_of(node: MappingNode, key: str) -> str | None:
    """The text of a keyword, None where it is not there or is none."""
    found = node.get(key)
    return found.text.value if isinstance(found, ScalarNode) else None


def node_at(root: MappingNode, steps: Steps | None) -> MappingNode | None:
    """The part of a schema to which steps lead from the top, None where they lead to none."""
    if steps is None or not leads_to_schema(steps):
        return None
    node: YamlNode | None = root
    for step in steps:
        node = node.get(step) if isinstance(node, MappingNode) else None
    return node if isinstance(node, MappingNode) else None


def encoded_reference(root: MappingNode, reference: str) -> str | None:
    """How to write a reference that leads somewhere once its characters are encoded, None for any other."""
    encoded = quote(reference, safe=AS_THEY_ARE)
    leads = encoded != reference and node_at(root, steps_of(encoded)) is not None
    return f'write `"$ref": "{encoded}"`' if leads else None


def chain_of(root: MappingNode, node: YamlNode) -> list[MappingNode]:
    """A part of a schema, then what it refers to, and so on to the part that refers to nothing."""
    found: list[MappingNode] = []
    at: YamlNode | None = node
    while isinstance(at, MappingNode) and len(found) < MOST_LEVELS and all(at is not other for other in found):
        found.append(at)
        reference = text_of(at, "$ref")
        at = None if reference is None else node_at(root, steps_of(reference))
    return found


def is_sensitive(root: MappingNode, node: YamlNode) -> bool:
    """Whether a part is marked `x-sensitive`: where it stands, where its references lead, or on the elements of a list."""
    at: YamlNode | None = node
    for _ in range(MOST_LEVELS):
        chain = chain_of(root, at) if at is not None else []
        if any(text_of(part, "x-sensitive") == "true" for part in chain):
            return True
        at = chain[-1].get("items") if chain else None
    return False


MOST_LEVELS = 10
"""Levels of lists in lists that are looked into, and references to references; a schema may have fewer."""
