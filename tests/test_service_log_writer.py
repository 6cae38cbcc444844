"""The writer of the decision log and the workers it writes for: what came while one batch was written is the next."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from policy_engine.decision_log.records import Record
from policy_engine.errors import LogUnavailable
from policy_engine.service.decision_log.client import GONE, Client
from policy_engine.service.decision_log.frames import Frame, Frames, framed, packed, unpacked
from policy_engine.service.decision_log.writer import Writer
from tests.support.served import PATIENCE


def record(name: str = "a", payload: bytes = b"{}") -> Record:
    return Record(name, b'{"id":"%b"}' % name.encode(), payload, b"salt", "account")


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100, 10_000])
def test_frames_are_the_same_however_the_stream_is_cut(size: int) -> None:
    sent = [Frame(1, b""), Frame(2, b"x" * 300), Frame(2**40, b"last")]
    stream, frames = b"".join(framed(*frame) for frame in sent), Frames()
    taken: list[Frame] = []
    for start in range(0, len(stream), size):
        frames.feed(stream[start : start + size])
        taken += frames.take()
    assert taken == sent


def test_records_come_out_as_they_went_in() -> None:
    records = [record(), Record("ä", b"", b"", b"", ""), record("b", b"\0" * 3_000_000)]
    assert unpacked(packed(records)) == records
    assert unpacked(b"") == []


@dataclass
class Log:
    """A log that a test holds up and breaks."""

    batches: list[list[str]] = field(default_factory=list)
    fault: str = ""
    may_write: threading.Event = field(default_factory=threading.Event)

    def append(self, records: Sequence[Record]) -> None:
        assert self.may_write.wait(PATIENCE)
        if self.fault:
            raise LogUnavailable(self.fault)
        self.batches.append([each.id for each in records])


@dataclass
class Running:
    """A writer in a thread of this process."""

    log: Log
    address: str
    writer: Writer
    thread: threading.Thread
    clients: list[Client] = field(default_factory=list)

    def client(self, patience: float = PATIENCE) -> Client:
        self.clients.append(Client(self.address, patience))
        return self.clients[-1]

    def run(self, play: Callable[[], Coroutine[None, None, None]]) -> None:
        """Play something, and end all connections."""
        asyncio.run(self._played(play))

    async def _played(self, play: Callable[[], Coroutine[None, None, None]]) -> None:
        try:
            await play()
        finally:
            for client in self.clients:
                client.close()
            await asyncio.sleep(0)


@contextmanager
def writing(folder: Path) -> Iterator[Running]:
    """A writer until the end of the test, which it leaves no process and no thread after."""
    address, log = str(folder / "socket"), Log()
    orders, end = os.pipe()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen()
        writer = Writer(listener, log.append, orders)
        thread = threading.Thread(target=writer.run)
        thread.start()
        yield Running(log, address, writer, thread)
        log.may_write.set()
        os.close(end)
        thread.join(PATIENCE)
        assert not thread.is_alive()
    os.close(orders)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    with writing(tmp_path) as each:
        yield each


async def become(condition: Callable[[], bool]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.001)


def test_what_comes_while_a_batch_is_written_is_the_next(running: Running) -> None:
    async def ask() -> None:
        client = running.client()
        first = asyncio.create_task(client.write([record("first")]))
        await asyncio.sleep(0.05)  # it is being written
        others = []
        for name in "abcd":
            others.append(asyncio.create_task(client.write([record(name)])))
            await asyncio.sleep(0.005)
        assert not first.done()
        running.log.may_write.set()
        await asyncio.gather(first, *others)
        assert running.log.batches == [["first"], ["a", "b", "c", "d"]]

    running.run(ask)


def test_what_comes_in_one_round_is_one_batch_and_nothing_is_lost(running: Running) -> None:
    running.log.may_write.set()

    async def ask() -> None:
        workers = [running.client(), running.client()]
        for worker in workers:
            await worker.write([])  # which opens its connection
        names = [f"{number}" for number in range(300)]
        await asyncio.gather(*(workers[int(name) % 2].write([record(name)]) for name in names))
        assert sorted(name for batch in running.log.batches for name in batch) == sorted(names)
        assert len([batch for batch in running.log.batches if batch]) <= 3

    running.run(ask)


def test_nobody_is_told_before_the_batch_is_written(running: Running) -> None:
    async def ask() -> None:
        task = asyncio.create_task(running.client().write([record()]))
        await asyncio.sleep(0.1)
        assert not task.done()
        assert running.log.batches == []
        running.log.may_write.set()
        await task
        assert running.log.batches == [["a"]]

    running.run(ask)


def test_a_batch_that_cannot_be_written_is_told_and_the_next_may_be(
    running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    running.log.may_write.set()

    async def ask() -> None:
        client = running.client()
        running.log.fault = "the disk is full"
        for _ in range(2):
            with pytest.raises(LogUnavailable, match="the disk is full"):
                await client.write([record("lost")])
        running.log.fault = ""
        await client.write([record("kept")])
        assert running.log.batches == [["kept"]]

    with caplog.at_level("INFO"):
        running.run(ask)
    assert [each.getMessage() for each in caplog.records if "decision log" in each.getMessage()] == [
        "the decision log cannot be written",
        "the decision log is written again",
    ]


def test_a_writer_that_does_not_answer_is_given_up(running: Running) -> None:
    async def ask() -> None:
        client = running.client(patience=0.2)
        with pytest.raises(LogUnavailable, match=r"^the decision log was not written within 0.2 seconds$"):
            await client.write([record("slow")])
        running.log.may_write.set()
        await client.write([record("next")])
        assert running.log.batches == [["slow"], ["next"]]

    running.run(ask)


def test_who_waits_for_a_writer_that_ends_is_told_at_once(tmp_path: Path) -> None:
    async def ask() -> None:
        address = str(tmp_path / "socket")

        async def end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(1)
            writer.transport.abort()

        async with await asyncio.start_unix_server(end, address):
            client = Client(address, PATIENCE)
            told = await asyncio.gather(*(client.write([record()]) for _ in range(3)), return_exceptions=True)
            assert [str(each) for each in told] == [GONE] * 3
        with suppress(FileNotFoundError):
            Path(address).unlink()
        with pytest.raises(LogUnavailable, match="is not there"):
            await client.write([record()])

    asyncio.run(ask())


def test_a_caller_who_goes_away_disturbs_nobody(running: Running) -> None:
    async def ask() -> None:
        client = running.client()
        gone, stays = (asyncio.create_task(client.write([record(name)])) for name in ("gone", "stays"))
        await asyncio.sleep(0.02)
        gone.cancel()
        running.log.may_write.set()
        await stays
        assert running.log.batches == [["gone", "stays"]]

    running.run(ask)


def test_a_worker_that_breaks_off_leaves_no_part_of_a_record(running: Running) -> None:
    running.log.may_write.set()
    with socket.socket(socket.AF_UNIX) as worker:
        worker.connect(running.address)
        worker.sendall(framed(1, packed([record("whole")])) + framed(2, packed([record("torn")]))[:-3])

    async def ask() -> None:
        await running.client().write([record("other")])
        await become(lambda: len(running.writer.peers) == 1)
        assert sorted(name for batch in running.log.batches for name in batch) == ["other", "whole"]

    running.run(ask)
