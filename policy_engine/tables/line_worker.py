"""A process that judges blocks of lines: it is asked on its input, and answers on its output.

The first message is the schema. Then each question is a block, and each answer a frame, or why there is none. A process of
its own, and no fork of the caller's, so that neither threads nor the caller's main module get in the way.
"""

from __future__ import annotations

import gc
import io
import json
import pickle
import signal
import struct
import subprocess
import sys
import threading
from contextlib import suppress
from typing import IO

import polars as pl

from policy_engine.errors import CannotRun
from policy_engine.language.rulesets import FactsSchema
from policy_engine.tables.line_blocks import Block, judged_block

START = """\
import json, os, sys
os.putenv("POLARS_MAX_THREADS", "1")
sys.path[:] = json.loads(sys.argv[1])
from policy_engine.tables.line_worker import serve
serve(sys.stdin.buffer, sys.stdout.buffer)
"""
HEAD = struct.Struct("<QQ")
"""Before each message: a number (a block's first line; of an answer, whether it is a fault) and the length of what follows."""


class Worker:
    """The caller's end: a process that judges one block at a time."""

    def __init__(self, facts: FactsSchema) -> None:
        command = [sys.executable, "-c", START, json.dumps([path for path in sys.path if isinstance(path, str)])]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.greeting = pickle.dumps(facts)

    def ask(self, block: Block) -> pl.DataFrame:
        """The block judged; raises `CannotRun` where the process has ended."""
        try:
            if self.greeting:
                _send(self._input, 0, self.greeting)
                self.greeting = b""
            _send(self._input, block.first, block.data)
            fault, answer = _receive(self._output)
        except (OSError, EOFError, ValueError):
            code = self.process.wait()
            told = "a process that reads lines ended before its time"
            raise CannotRun(f"{told} (exit code {code}); is there memory enough?") from None
        if fault:
            raise CannotRun(f"the lines from {block.first} on cannot be judged: {answer.decode()}")
        return pl.read_ipc_stream(io.BytesIO(answer))

    def end(self) -> None:
        """End the process, whatever it does."""
        self.process.kill()
        self.process.wait()
        for pipe in (self._input, self._output):
            with suppress(OSError):
                pipe.close()

    @property
    def _input(self) -> IO[bytes]:
        assert self.process.stdin is not None
        return self.process.stdin

    @property
    def _output(self) -> IO[bytes]:
        assert self.process.stdout is not None
        return self.process.stdout


def serve(questions: IO[bytes], answers: IO[bytes]) -> None:
    """The process's end: answer until there are no more questions; who asks is told of an interrupt, and ends us."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.disable()  # what is read lives as long as its block, and has no cycles to look for
    with suppress(EOFError, BrokenPipeError):
        facts = pickle.loads(_receive(questions)[1])
        while True:
            first, data = _receive(questions)
            _send(answers, *_answer(Block(first, data), facts))


def _answer(block: Block, facts: FactsSchema) -> tuple[int, bytes]:
    try:
        buffer = io.BytesIO()
        judged_block(block, facts).write_ipc_stream(buffer)
        return 0, buffer.getvalue()
    except Exception as error:  # whatever it is, it is told where it can be told
        return 1, f"{type(error).__name__}: {error}".encode()


def _send(pipe: IO[bytes], number: int, data: bytes) -> None:
    pipe.write(HEAD.pack(number, len(data)))
    pipe.write(data)
    pipe.flush()


def _receive(pipe: IO[bytes]) -> tuple[int, bytes]:
    number, length = HEAD.unpack(_exactly(pipe, HEAD.size))
    return number, _exactly(pipe, length)


def _exactly(pipe: IO[bytes], length: int) -> bytes:
    data = pipe.read(length)
    if len(data) < length:
        raise EOFError
    return data
