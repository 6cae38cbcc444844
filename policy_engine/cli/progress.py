"""A bar on a terminal while tables are read; nothing where the output is piped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeRemainingColumn

from policy_engine.tables.source import Progress as Reading

Begin = Callable[[str, Reading], None]
"""Begins a line: what is done, and how far it is."""


@contextmanager
def progress_bars(err: Console) -> Iterator[Begin]:
    """Looks now and then how far each table has been read."""
    with _bars(err) as bars:
        stop, tasks = Event(), list[tuple[TaskID, Reading]]()

        def begin(name: str, reading: Reading) -> None:
            tasks.append((bars.add_task(name, total=reading.total, rate=""), reading))

        def look() -> None:
            while not stop.wait(0.1):
                for task, reading in tuple(tasks):
                    _show(bars, task, reading)

        if not bars.disable:
            Thread(target=look, daemon=True).start()
        try:
            yield begin
        finally:
            stop.set()


def _bars(err: Console) -> Progress:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=err, transient=True, disable=not err.is_terminal)


def _show(bars: Progress, task: TaskID, reading: Reading) -> None:
    rate = next((one.speed for one in bars.tasks if one.id == task), None)
    said = f"{rate:,.0f} {reading.unit} a second" if rate else ""
    bars.update(task, completed=reading.done, rate=said)
