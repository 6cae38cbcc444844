"""What Schemathesis does not know by itself: how a body of JSON Lines is sent."""

from __future__ import annotations

import schemathesis


@schemathesis.serializer("application/jsonl", "application/x-ndjson")
def sent(context: object, value: object) -> bytes:
    """A body as it is; any bytes may be sent, for each line of them has an answer of its own."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")
