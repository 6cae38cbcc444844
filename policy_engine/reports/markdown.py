"""Texts of authors and accounts as Markdown that shows them as they are: nothing in them becomes a mark, a tag or a link."""

from __future__ import annotations

import re

from policy_engine.diagnostics import shown_text

LONGEST = 4_000
WEB = ("https://", "http://")
"""Addresses of other kinds, such as `javascript:`, never become links."""
MARKS = re.compile(r"[\\`*<>\[\]|~$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|&(?=[#A-Za-z0-9]+;)")
"""What begins or ends a mark; an underscore within a word does neither."""
FIRST = re.compile(r"^(\s*)([-+](?=[-+\s]|$)|[=#]|[0-9]+(?=[.)](?:\s|$)))")
"""What would make a heading, a list or a rule at the beginning of a line."""


def text(words: str) -> str:
    """Words on one line, at any place of a line or in a cell of a table.

    >>> text("a|b <i>*c*</i> a_b _d_ [e](f)")
    'a\\\\|b \\\\<i\\\\>\\\\*c\\\\*\\\\</i\\\\> a_b \\\\_d\\\\_ \\\\[e\\\\](f)'
    >>> text("# one"), text("1. two"), text("- three")
    ('\\\\# one', '1\\\\. two', '\\\\- three')
    """
    escaped = MARKS.sub(lambda found: f"\\{found.group()}", shown_text(words, LONGEST))
    begun = FIRST.match(escaped)
    if begun is None:
        return escaped
    blanks, sign = begun.groups()
    rest = escaped[begun.end() :]
    return f"{blanks}{sign}\\{rest}" if sign.isdigit() else f"{blanks}\\{sign}{rest}"


def code(words: str) -> str:
    """Words as code, in as many backticks as they need.

    >>> code("a < b"), code('x == "`"')
    ('`a < b`', '``x == "`"``')
    """
    shown = shown_text(words, LONGEST)
    longest = max((len(run) for run in re.findall(r"`+", shown)), default=0)
    fence = "`" * (longest + 1)
    blank = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{fence}{blank}{shown}{blank}{fence}"


def web_address(address: str | None) -> str | None:
    """An address that a link may lead to; None for what is no address on the web.

    >>> web_address("https://example.com/a"), web_address("javascript:alert(1)"), web_address(None)
    ('https://example.com/a', None, None)
    """
    return address if address is not None and address.lower().startswith(WEB) else None


def link(words: str, address: str | None) -> str:
    """Words that lead to an address on the web; to any other they do not lead, and it stands behind them as code.

    >>> link("a", "https://e.org/(b) c"), link("a", "data:x"), link("a", None)
    ('[a](<https://e.org/(b)%20c>)', 'a (`data:x`)', 'a')
    """
    target = web_address(address)
    if target is not None:
        quoted = re.sub(
            r"[<>\\\s\x00-\x1f\x7f]", lambda found: "".join(f"%{b:02X}" for b in found.group().encode()), target
        )
        return f"[{text(words)}]({f'<{quoted}>' if set('()') & set(quoted) else quoted})"
    return f"{text(words)} ({code(address)})" if address else text(words)
