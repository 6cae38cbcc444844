"""JSON Lines files as sources: judged line by line, in several processes where that is worth it."""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from queue import SimpleQueue

import polars as pl

from policy_engine.language.rulesets import FactsSchema
from policy_engine.tables.line_blocks import Block, blocks_of, judged_block, raw_schema, split
from policy_engine.tables.line_worker import Worker
from policy_engine.tables.opening import opened, unpacked
from policy_engine.tables.source import Progress, Source, streamed

WORTH_WORKERS = 8_000_000
"""Bytes of a file; a smaller one is read before other processes have started."""
MOST_WORKERS = 8
AHEAD = 2
"""Blocks for each process that may wait or be done before they are asked for."""


def lines_source(path: Path, facts: FactsSchema, workers: int | None = None) -> Source:
    """A JSON Lines file, also .gz, each row numbered by its line; raises `CannotRun`.

    `workers` is the number of processes that judge, 0 for none; without it the file's size and the processors tell.
    """
    with opened(path):
        size = path.stat().st_size
    progress = Progress(size, "bytes")
    count = workers if workers is not None else _workers_for(size)

    def frames() -> Iterator[pl.DataFrame]:
        at = 0
        with opened(path) as raw, _judging(facts, count) as in_order:
            for frame in in_order(blocks_of(unpacked(path, raw))):
                yield frame
                at, before = raw.tell(), at
                progress.add(at - before)

    return Source(facts, streamed(frames, raw_schema(facts)), split, progress, (path,))


def _workers_for(size: int) -> int:
    return min(os.cpu_count() or 1, MOST_WORKERS) if size >= WORTH_WORKERS and sys.executable else 0


Judging = Callable[[Iterable[Block]], Iterator[pl.DataFrame]]


@contextmanager
def _judging(facts: FactsSchema, count: int) -> Iterator[Judging]:
    """What judges blocks, in their order, in so many processes."""
    if not count:
        yield partial(map, partial(judged_block, facts=facts))
        return
    workers = [Worker(facts) for _ in range(count)]
    threads = ThreadPoolExecutor(count)
    try:
        yield partial(_in_order, workers, threads)
    finally:
        for worker in workers:
            worker.end()
        threads.shutdown(wait=False, cancel_futures=True)  # whoever drops the last reference may be one of them


def _in_order(workers: list[Worker], threads: ThreadPoolExecutor, blocks: Iterable[Block]) -> Iterator[pl.DataFrame]:
    """The judged blocks; only so many are held at once."""
    idle: SimpleQueue[Worker] = SimpleQueue()
    for worker in workers:
        idle.put(worker)
    pending: deque[Future[pl.DataFrame]] = deque()
    for block in blocks:
        pending.append(threads.submit(_ask, idle, block))
        if len(pending) > AHEAD * len(workers):
            yield pending.popleft().result()
    while pending:
        yield pending.popleft().result()


def _ask(idle: SimpleQueue[Worker], block: Block) -> pl.DataFrame:
    worker = idle.get()
    try:
        return worker.ask(block)
    finally:
        idle.put(worker)
