"""A report from its arguments to its folder: tables are decided, counted and drawn; the folder is written whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from policy_engine.engine import Engine
from policy_engine.language.decisions import Status
from policy_engine.language.notebook import table_html, text_html
from policy_engine.reports import exports
from policy_engine.reports.arguments import CUSTOMER, Arguments
from policy_engine.reports.causes import Causes
from policy_engine.reports.counting import Over, ruleset_totals
from policy_engine.reports.databases import report_fetched
from policy_engine.reports.deciding import Watch, decide_table, writing
from policy_engine.reports.fingerprints import unchanged
from policy_engine.reports.gates import gates_of, unmet
from policy_engine.reports.html import Chapter, Report, report_html
from policy_engine.reports.jobs import Announce, Job, jobs_of
from policy_engine.reports.locating import WHERE_NAMED, Located
from policy_engine.reports.manifest import MANIFEST, digested, manifest_of
from policy_engine.reports.near_misses import NearMisses
from policy_engine.reports.report_folder import new_report
from policy_engine.reports.sampling import Draw, samples_of
from policy_engine.reports.totals import ReportTotals, RulesetTotals
from policy_engine.reports.trials import TRIED, trials_of
from policy_engine.reports.withholding import (
    Withheld,
    withheld,
    withheld_sample,
    withheld_totals,
    withhold_columns,
    withhold_violations,
)
from policy_engine.tables.databases.places import is_in_database
from policy_engine.version import VERSION

DECISIONS, INVALID, SUMMARY, PAGE = "decisions.parquet", "invalid.parquet", "summary.json", "report.html"


@dataclass(frozen=True, slots=True)
class ReportResult:
    """A report that was written: its totals, the names of its files, and notes for the person who asked for it.

    `unmet` has a sentence for each gate that is not met.
    """

    totals: ReportTotals
    files: tuple[str, ...]
    notes: tuple[str, ...] = ()
    unmet: tuple[str, ...] = ()

    def _repr_html_(self) -> str:
        """The report in a notebook: what came out of each ruleset, notes, and where to read on."""
        tables = (_summary(one, self.totals.as_of) for one in self.totals.rulesets)
        said = (f"<p>{text_html(line)}</p>" for line in (*self.unmet, *self.notes, f"written: {', '.join(self.files)}"))
        return f"<div>{''.join([*tables, *said])}</div>"


def _summary(totals: RulesetTotals, as_of: date) -> str:
    counts = f"{totals.rows:,} rows, {totals.valid:,} valid, {totals.invalid:,} invalid"
    rows = [("version", f"{totals.version}, as of {as_of}"), ("accounts", counts)]
    for one in totals.decisions:
        came = {**one.outcomes, **{status: count for status, count in one.statuses.items() if status != "decided"}}
        rows.append(
            (one.decision, ", ".join(f"{name}: {count:,}" for name, count in came.items() if count) or "calculated")
        )
    return table_html(totals.title, ((name, text_html(said)) for name, said in rows))


def make_report(arguments: Arguments, out: Path, located: Located = WHERE_NAMED) -> ReportResult:
    """Load the rulesets that the arguments name, and write the report; raises `PolicyError`s.

    `located` says where that lies of which the arguments are the names.
    """
    rules, schemas = located.place(arguments.rules), located.place(arguments.schemas)
    engine = Engine.load(rules, schemas, only=[name for name, _ in arguments.tables])
    with report_fetched(engine, arguments, located) as here:
        return run_report(engine, jobs_of(engine, arguments, here), arguments, out, located=here)


def run_report(
    engine: Engine,
    jobs: Sequence[Job],
    arguments: Arguments,
    out: Path,
    announce: Announce = lambda job: None,
    located: Located = WHERE_NAMED,
    also: Callable[[Path], object] = lambda file: None,
) -> ReportResult:
    """Decide every row of every table and write the report's folder; raises `CannotRun`, and then writes nothing.

    `also` is called with the decisions of the only ruleset when all is in the folder, and before that takes its place.
    A file that was changed while it was read is a reason to raise, since the manifest has the digests of what was decided.
    """
    gates = gates_of(arguments, [job.ruleset for job in jobs])
    before = {path: was for job in jobs for path, was in job.before.items()}
    inputs = [located.place(arguments.rules), located.place(arguments.schemas), *before]
    with new_report(out, inputs) as folder, unchanged(before), writing(out):
        chapters = [_chapter(engine, job, arguments, _folder(folder, job, jobs), announce, located) for job in jobs]
        totals = ReportTotals(arguments.as_of, tuple(chapter.totals for chapter in chapters))
        broken = tuple(unmet(gates, totals))
        _write_json(folder / SUMMARY, totals.to_dict())
        notes = [note for job in jobs for note in job.source.notes()]
        notes += [note for form in arguments.formats for note in _exported(form, folder, jobs, totals, arguments)]
        files = (path for job in jobs for path in job.source.files if not is_in_database(located.name(path)))
        read = [*files, *map(located.place, arguments.maps.values())]
        decided = [digested(path, located.name(path)) for path in dict.fromkeys(read)]
        tables = [digested(folder / name, name) for name in _files(folder)]
        report = Report(
            engine_version=VERSION,
            totals=totals,
            chapters=tuple(chapters),
            seed=arguments.seed,
            files=(*decided, *tables),
            fetched=located.rows,
            unmet=broken,
            settings=arguments.settings,
            audience=arguments.audience,
            brief=arguments.brief,
        )
        (folder / PAGE).write_text(report_html(report), "utf-8")
        outputs = sorted([*tables, digested(folder / PAGE, PAGE)], key=lambda file: Path(file.name))
        rulesets = [
            (chapter.ruleset, located.name(Path(chapter.ruleset.path)), chapter.withheld) for chapter in chapters
        ]
        manifest = manifest_of(rulesets, arguments, totals, broken, decided, outputs, located.rows)
        _write_json(folder / MANIFEST, manifest)
        also(folder / DECISIONS)
        return ReportResult(totals, tuple(_files(folder)), tuple(notes), broken)


def _folder(folder: Path, job: Job, jobs: Sequence[Job]) -> Path:
    """The folder of a ruleset's tables: its own where there are several."""
    place = folder / job.ruleset.id if len(jobs) > 1 else folder
    place.mkdir(exist_ok=True)
    return place


def _chapter(
    engine: Engine, job: Job, arguments: Arguments, place: Path, announce: Announce, located: Located
) -> Chapter:
    """Decide one table, and count what came out."""
    announce(job)
    draw = Draw(job.ruleset, arguments.seed, arguments.samples)
    undetermined = Draw(job.ruleset, arguments.seed, TRIED, Status.UNDETERMINED)
    near = NearMisses(job)
    watch: list[Watch] = [draw, undetermined, near] if arguments.samples else [undetermined, near]
    causes = Causes(engine, job.program, job.readings) if arguments.reasons else None
    decide_table(job, place / DECISIONS, place / INVALID, watch, causes)
    hidden = withheld(job) if arguments.audience == CUSTOMER else Withheld()
    withhold_violations(place / INVALID, hidden)
    totals = ruleset_totals(
        job.ruleset,
        place / DECISIONS,
        place / INVALID,
        inputs=[located.name(path) for path in job.source.files],
        readings=job.program.choices,
        over=Over(job.over, job.over_column) if job.over is not None else None,
        near_misses=tuple(near.found()),
        near_misses_left_out=job.program.without_margin,
        trials=trials_of(engine, job, undetermined),
    )
    withhold_columns(place / DECISIONS, hidden)
    samples = tuple(withheld_sample(sample, hidden) for sample in samples_of(engine, job, draw))
    return Chapter(job.ruleset, withheld_totals(totals, hidden), samples, hidden.facts)


def _files(folder: Path) -> Iterator[str]:
    """The names of the files of a report."""
    return (path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if path.is_file())


def _exported(
    form: str, folder: Path, jobs: Sequence[Job], totals: ReportTotals, arguments: Arguments
) -> Sequence[str]:
    """Write the tables in one form as well, and give notes about it; raises `CannotRun`."""
    if form == "xlsx":
        from policy_engine.reports.workbook import write_workbook  # noqa: PLC0415 - imported on use

        return write_workbook(folder, jobs, totals)
    exports.write(form, folder, keep_formulas=arguments.keep_formulas)
    return ()


def _write_json(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", "utf-8")
