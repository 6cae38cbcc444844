"""Making the fixes that need no asking: again and again until none is left, and never so that more is wrong than before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from policy_engine.diagnostics import Diagnostic, Severity
from policy_engine.documents.json_reader import json_nodes
from policy_engine.documents.yaml_reader import LARGEST_FILE, file_text, read_text
from policy_engine.errors import CannotRun
from policy_engine.fixes import LINE_END, applied, edits_by_path, is_exact, together
from policy_engine.frontend.files import SUFFIX, ReadText

MOST_ROUNDS = 20
"""Rounds, each of which mends what the one before brought to light; few files need three."""
Texts = Mapping[str, str]
"""The texts of files, with their own line ends and without a byte order mark, by path."""
Check = Callable[[ReadText], tuple[Diagnostic, ...]]
"""Says what is wrong with files whose texts are given."""


@dataclass(frozen=True, slots=True)
class Fixing:
    """How far fixing has come: the files that change as they were and as they are, what was fixed in turn, and what is left."""

    before: Texts
    texts: Texts
    fixed: tuple[Diagnostic, ...]
    left: tuple[Diagnostic, ...]

    @property
    def open(self) -> list[Diagnostic]:
        """What is left that has a sure fix."""
        return [each for each in self.left if each.fix is not None and each.fix.sure]


def fix_all(check: Check) -> Fixing:
    """What sure fixes make of files. Nothing is written.

    Where all of them together leave more errors, or a file that can no longer be read, parts of them are tried, and those that
    do so are left out.
    """
    start = done = Fixing({}, {}, (), check(file_text))
    for _ in range(MOST_ROUNDS):
        if not done.open:
            break
        done = _next(check, done, done.open)
    return _by_parts(check, start) if _is_worse(done, start) else done


def _by_parts(check: Check, done: Fixing) -> Fixing:
    for _ in range(MOST_ROUNDS):
        before = done
        done = _good(check, done, done.open[::-1])
        if done.fixed == before.fixed:
            break
    return done


def _good(check: Check, done: Fixing, chosen: list[Diagnostic]) -> Fixing:
    """The same after those of some fixes that leave nothing worse; the last place comes first, so that the others keep theirs."""
    after = _next(check, done, chosen)
    if not _is_worse(after, done):
        return after
    if len(chosen) < 2:
        return done
    half = len(chosen) // 2
    return _good(check, _good(check, done, chosen[:half]), chosen[half:])


def _next(check: Check, done: Fixing, chosen: Iterable[Diagnostic]) -> Fixing:
    """The same after the fixes of some diagnostics, without those that touch what another of them changes."""
    wanted = {each.fix: each for each in chosen if each.fix is not None}
    paths = {edit.path for fix in wanted for edit in fix.edits}
    before = {path: _content(path) for path in paths - done.texts.keys()} | dict(done.before)
    texts = {path: before[path] for path in paths} | dict(done.texts)
    lines = {path: _plain(texts[path]).split("\n") for path in paths}
    fixes = together(fix for fix in wanted if is_exact(fix, lines))
    for path, edits in edits_by_path(edit for fix in fixes for edit in fix.edits).items():
        texts[path] = applied(texts[path], edits)
    return Fixing(before, texts, (*done.fixed, *(wanted[fix] for fix in fixes)), check(reading(texts)))


def reading(texts: Texts) -> ReadText:
    """What reads files from the disk, but for those whose texts are given."""

    def read(path: Path, largest: int = LARGEST_FILE) -> tuple[str, list[Diagnostic]]:
        held = texts.get(str(path))
        return file_text(path, largest) if held is None else (_plain(held), [])

    return read


def _plain(text: str) -> str:
    return LINE_END.sub("\n", text)


def _content(path: str) -> str:
    """The text of a file that was read before; raises `CannotRun` where it no longer can be."""
    try:
        return Path(path).read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise CannotRun(f"`{path}` changed while it was being fixed; try again") from None


def _is_worse(after: Fixing, before: Fixing) -> bool:
    """Whether a file that changes can no longer be read, or else more errors are left."""
    texts = {path: before.texts.get(path, text) for path, text in after.before.items()}
    return _score(after.texts, after.left) > _score(texts, before.left)


def _score(texts: Texts, left: Iterable[Diagnostic]) -> tuple[int, int]:
    unread = sum(not _can_be_read(path, _plain(text)) for path, text in texts.items())
    return unread, sum(each.severity is Severity.ERROR for each in left)


def _can_be_read(path: str, text: str) -> bool:
    if path.endswith(".csv"):
        return True
    node, _ = json_nodes(text, path) if path.endswith(SUFFIX) else read_text(text, path)
    return node is not None
