"""Our answers in the types of the protocol."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

from lsprotocol import types as lsp
from pygls.uris import from_fs_path, to_fs_path

from policy_engine.diagnostics import Diagnostic, Severity
from policy_engine.fixes import Edit, Fix
from policy_engine.lsp.hover import Hover
from policy_engine.lsp.offers import Offer
from policy_engine.lsp.outlines import Fold, Part
from policy_engine.lsp.positions import characters_before, units_before
from policy_engine.lsp.running import Lens
from policy_engine.lsp.workspace import with_line_feeds
from policy_engine.source import Span

OURS, OUR_TESTS = "policy", "policy test"
RUN = "policy.runTests"
KINDS: Mapping[str, lsp.CompletionItemKind] = MappingProxyType(
    {
        "fact": lsp.CompletionItemKind.Field,
        "parameter": lsp.CompletionItemKind.Constant,
        "definition": lsp.CompletionItemKind.Variable,
        "variable": lsp.CompletionItemKind.Variable,
        "reading": lsp.CompletionItemKind.Enum,
        "table": lsp.CompletionItemKind.Struct,
        "decision": lsp.CompletionItemKind.Class,
        "function": lsp.CompletionItemKind.Function,
        "key": lsp.CompletionItemKind.Property,
        "value": lsp.CompletionItemKind.EnumMember,
        "outcome": lsp.CompletionItemKind.EnumMember,
        "word": lsp.CompletionItemKind.Keyword,
    }
)
"""How editors draw what is offered; all else is drawn as a reference."""
ORDER = ("value", "variable", "fact", "definition", "parameter", "reading", "table", "decision", "function", "word")


@dataclass(frozen=True, slots=True)
class Lines:
    """Converts places of one text, by its lines and the encoding in which columns are counted."""

    lines: Sequence[str]
    encoding: str

    def line(self, number: int) -> str:
        """A line by its number from 0; empty where there is none."""
        return self.lines[number] if number < len(self.lines) else ""

    def caret(self, position: lsp.Position) -> tuple[int, int]:
        """The line and the characters before a position, both from 0."""
        return position.line, characters_before(self.line(position.line), position.character, self.encoding)

    def position(self, line: int, characters: int) -> lsp.Position:
        """The position behind so many characters of a line."""
        return lsp.Position(line, units_before(self.line(line), characters, self.encoding))

    def range(self, span: Span) -> lsp.Range:
        """The range of a place."""
        start, line = span.column - 1, span.line - 1
        return lsp.Range(self.position(line, start), self.position(line, start + span.length))

    def offset(self, position: lsp.Position) -> int:
        """How many characters of the text stand before a position."""
        line, characters = self.caret(position)
        return sum(len(each) + 1 for each in self.lines[:line]) + characters

    def whole(self) -> lsp.Range:
        """The range of the whole text."""
        last = len(self.lines) - 1
        return lsp.Range(lsp.Position(0, 0), self.position(last, len(self.lines[last])))


OfPath = Callable[[str], Lines]
"""Gives the lines of a file."""


def changed(text: str, change: lsp.TextDocumentContentChangeEvent, encoding: str) -> str:
    """A text after a change, with line feeds alone between its lines.

    pygls keeps the texts of files as well, but takes more signs for the ends of lines than editors do, such as U+2028.
    """
    written = with_line_feeds(change.text)
    if not isinstance(change, lsp.TextDocumentContentChangePartial):
        return written
    lines = Lines(text.split("\n"), encoding)
    return text[: lines.offset(change.range.start)] + written + text[lines.offset(change.range.end) :]


def uri_of(path: str | Path) -> str:
    """The URI of a file."""
    return from_fs_path(str(path)) or Path(path).as_uri()


def path_of(uri: str) -> Path | None:
    """The file of a URI; None where it is of no file, such as a text without a name."""
    path = to_fs_path(uri) if uri.startswith("file:") else None
    return Path(path) if path else None


def diagnostic(found: Diagnostic, lines: OfPath) -> lsp.Diagnostic:
    """A fault or a warning, with its hint."""
    hint = f"\n{found.hint}" if found.hint else ""
    related = [
        lsp.DiagnosticRelatedInformation(location(each.span, lines), each.label)
        for each in found.related
        if each.span.path
    ]
    return lsp.Diagnostic(
        lines(found.span.path).range(found.span),
        f"{found.message}{hint}",
        lsp.DiagnosticSeverity.Error if found.severity is Severity.ERROR else lsp.DiagnosticSeverity.Warning,
        code=found.code,
        source=OURS,
        tags=[lsp.DiagnosticTag.Unnecessary] if found.code.startswith("unused-") else None,
        related_information=related or None,
    )


def location(span: Span, lines: OfPath) -> lsp.Location:
    """A place in a file."""
    return lsp.Location(uri_of(span.path), lines(span.path).range(span))


def completion_list(offers: Iterable[Offer], position: lsp.Position, lines: Lines) -> lsp.CompletionList:
    """What is offered at a position."""
    line, characters = lines.caret(position)

    @cache
    def place(over: int) -> lsp.Range:
        return lsp.Range(lines.position(line, characters - over), position)

    return lsp.CompletionList(False, [_completion_item(offer, place(offer.over)) for offer in offers])


def _completion_item(offer: Offer, place: lsp.Range) -> lsp.CompletionItem:
    rank = ORDER.index(offer.kind) if offer.kind in ORDER else len(ORDER)
    text = offer.described.text
    return lsp.CompletionItem(
        offer.label,
        kind=KINDS.get(offer.kind, lsp.CompletionItemKind.Reference),
        detail=offer.described.summary or None,
        documentation=lsp.MarkupContent(lsp.MarkupKind.Markdown, text) if text else None,
        filter_text=offer.label.strip("\"'"),
        sort_text=f"{0 if offer.first else 1}{rank:02}{offer.label}",
        text_edit=lsp.TextEdit(place, offer.text),
    )


def hover(found: Hover, lines: Lines) -> lsp.Hover:
    """What is said of a name."""
    return lsp.Hover(lsp.MarkupContent(lsp.MarkupKind.Markdown, found.text), lines.range(found.span))


def workspace_edit(edits: Iterable[Edit], lines: OfPath) -> lsp.WorkspaceEdit:
    """Edits of files."""
    changes: dict[str, list[lsp.TextEdit]] = {}
    for edit in edits:
        (line, column), (end_line, end_column) = edit.start, edit.end
        text = lines(edit.path)
        place = lsp.Range(text.position(line - 1, column - 1), text.position(end_line - 1, end_column - 1))
        changes.setdefault(uri_of(edit.path), []).append(lsp.TextEdit(place, edit.new))
    return lsp.WorkspaceEdit(changes=changes)


def code_action(fix: Fix, mends: lsp.Diagnostic, lines: OfPath) -> lsp.CodeAction:
    """A fix, which is preferred where it may be made without asking."""
    return lsp.CodeAction(
        fix.title,
        kind=lsp.CodeActionKind.QuickFix,
        diagnostics=[mends],
        is_preferred=fix.sure,
        edit=workspace_edit(fix.edits, lines),
    )


def code_lens(lens: Lens) -> lsp.CodeLens:
    """What can be run from a line."""
    arguments = {"file": lens.file, "case": lens.case, "table": lens.table, "ruleset": lens.ruleset}
    start = lsp.Position(lens.line, 0)
    return lsp.CodeLens(lsp.Range(start, start), lsp.Command(lens.title, RUN, arguments=[arguments]))


def folding_range(fold: Fold) -> lsp.FoldingRange:
    """Lines that can be folded."""
    return lsp.FoldingRange(fold.start, fold.end, kind=lsp.FoldingRangeKind.Comment if fold.comment else None)


def document_symbol(part: Part, lines: Lines) -> lsp.DocumentSymbol:
    """A part of a file, with those in it."""
    name = lines.range(part.span)
    end = lines.position(part.last_line, len(lines.line(part.last_line)))
    kind = lsp.SymbolKind.Key if part.parts else lsp.SymbolKind.Field
    below = [document_symbol(each, lines) for each in part.parts]
    return lsp.DocumentSymbol(part.name, kind, lsp.Range(name.start, max(end, name.end)), name, children=below)
