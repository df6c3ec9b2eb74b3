"""Function calls and their inputs, durable from the moment a client is told the call's id.

An input without an output is unfinished: after a restart it runs again from its start, as Modal reschedules the inputs
of a lost container. Arguments are dropped with the output's arrival, results `KEEP_S` after the call.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass

from modal_proto import api_pb2

from infra.localcloud.modal.ids import new_id
from infra.localcloud.modal.rpc import not_found
from infra.localcloud.modal.signals import Signal, Signals
from infra.localcloud.modal.store import Store

KEEP_S = 7 * 24 * 3600.0
# At most 2 MiB each, so that one answer stays well below what a gRPC client accepts.
_OUTPUTS_PER_ANSWER = 20

_SCHEMA = """
CREATE TABLE IF NOT EXISTS calls (
    id TEXT PRIMARY KEY, function_id TEXT NOT NULL, invocation INTEGER NOT NULL, created_at REAL NOT NULL,
    cancelled INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS inputs (
    id TEXT PRIMARY KEY, call_id TEXT NOT NULL REFERENCES calls (id) ON DELETE CASCADE, idx INTEGER NOT NULL,
    payload BLOB NOT NULL, retry_count INTEGER NOT NULL DEFAULT 0, output BLOB, entry INTEGER
);
CREATE INDEX IF NOT EXISTS inputs_by_call ON inputs (call_id, idx);
CREATE INDEX IF NOT EXISTS unfinished_inputs ON inputs (call_id) WHERE output IS NULL;
CREATE TABLE IF NOT EXISTS chunks (
    call_id TEXT NOT NULL REFERENCES calls (id) ON DELETE CASCADE, idx INTEGER NOT NULL, chunk BLOB NOT NULL,
    PRIMARY KEY (call_id, idx)
)
"""


@dataclass
class Input:
    """One set of arguments of a call; `retry_count` grows with each failure that the function's policy forgives."""

    id: str
    call_id: str
    function_id: str
    idx: int
    invocation: int
    retry_count: int


@dataclass(frozen=True)
class Call:
    id: str
    function_id: str
    invocation: int
    is_cancelled: bool


class Calls:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._signals = Signals()
        store.create(_SCHEMA)
        store.execute(
            "DELETE FROM calls WHERE created_at < ? AND id NOT IN (SELECT call_id FROM inputs WHERE output IS NULL)",
            time.time() - KEEP_S,
        )
        row = store.row("SELECT max(entry) FROM inputs")
        self._last_entry: int = (row and row[0]) or 0

    def create(self, function_id: str, invocation: int) -> Call:
        call = Call(new_id("fc"), function_id, invocation, is_cancelled=False)
        self._store.execute(
            "INSERT INTO calls (id, function_id, invocation, created_at) VALUES (?, ?, ?, ?)",
            call.id,
            function_id,
            invocation,
            time.time(),
        )
        return call

    def call(self, call_id: str) -> Call:
        row = self._store.row("SELECT id, function_id, invocation, cancelled FROM calls WHERE id = ?", call_id)
        if row is None:
            raise not_found(f"FunctionCall {call_id!r} not found; results are kept for seven days")
        return Call(row[0], row[1], row[2], bool(row[3]))

    def signal(self, call_id: str) -> Signal:
        """Wakes when an output or a chunk arrives."""
        return self._signals.of(call_id)

    def add(self, call: Call, items: Iterable[api_pb2.FunctionPutInputsItem]) -> list[Input]:
        inputs = []
        with self._store.transaction():
            for item in items:
                added = Input(new_id("in"), call.id, call.function_id, item.idx, call.invocation, 0)
                self._store.execute(
                    "INSERT INTO inputs (id, call_id, idx, payload) VALUES (?, ?, ?, ?)",
                    added.id,
                    call.id,
                    item.idx,
                    item.input.SerializeToString(),
                )
                inputs.append(added)
        return inputs

    def arguments(self, input_id: str) -> api_pb2.FunctionInput:
        ((payload,),) = self._store.rows("SELECT payload FROM inputs WHERE id = ?", input_id)
        return api_pb2.FunctionInput.FromString(payload)

    def unfinished(self) -> list[Input]:
        rows = self._store.rows(
            "SELECT i.id, i.call_id, c.function_id, i.idx, c.invocation, i.retry_count"
            " FROM inputs i JOIN calls c ON c.id = i.call_id WHERE i.output IS NULL ORDER BY c.created_at, i.idx"
        )
        return [Input(*row) for row in rows]

    def cancel(self, call_id: str) -> None:
        self._store.execute("UPDATE calls SET cancelled = 1 WHERE id = ?", call_id)

    def count_retry(self, failed: Input) -> None:
        failed.retry_count += 1
        self._store.execute("UPDATE inputs SET retry_count = ? WHERE id = ?", failed.retry_count, failed.id)

    def finish(self, done: Input, output: api_pb2.FunctionGetOutputsItem) -> None:
        """The first output of an input stands; a later one changes nothing.

        `retry_count` stays 0, the client's own retries: `.map` ignores an output with another count as an old attempt's
        (modal.parallel_map), and waits for ever.
        """
        output.idx, output.input_id = done.idx, done.id
        self._last_entry += 1
        self._store.execute(
            "UPDATE inputs SET output = ?, entry = ?, payload = x'' WHERE id = ? AND output IS NULL",
            output.SerializeToString(),
            self._last_entry,
            done.id,
        )
        self._signals.notify(done.call_id)

    def counts(self, call_id: str) -> tuple[int, int]:
        """(inputs, unfinished inputs)."""
        ((total, finished),) = self._store.rows("SELECT count(*), count(output) FROM inputs WHERE call_id = ?", call_id)
        return total, total - finished

    def outputs_after(self, call_id: str, entry: int) -> tuple[list[api_pb2.FunctionGetOutputsItem], int]:
        """In the order of arrival, and the last one's entry."""
        rows = self._store.rows(
            "SELECT output, entry FROM inputs WHERE call_id = ? AND entry > ? ORDER BY entry LIMIT ?",
            call_id,
            entry,
            _OUTPUTS_PER_ANSWER,
        )
        return [api_pb2.FunctionGetOutputsItem.FromString(row[0]) for row in rows], rows[-1][1] if rows else entry

    def outputs_between(self, call_id: str, first: int, last: int) -> list[api_pb2.FunctionGetOutputsItem]:
        """By index of the input, both ends included."""
        rows = self._store.rows(
            "SELECT output FROM inputs WHERE call_id = ? AND idx BETWEEN ? AND ? AND output IS NOT NULL"
            " ORDER BY idx LIMIT ?",
            call_id,
            first,
            last,
            _OUTPUTS_PER_ANSWER,
        )
        return [api_pb2.FunctionGetOutputsItem.FromString(row[0]) for row in rows]

    def put_chunks(self, call_id: str, chunks: Iterable[api_pb2.DataChunk]) -> None:
        with self._store.transaction():
            for chunk in chunks:
                self._store.execute(
                    "INSERT OR REPLACE INTO chunks VALUES (?, ?, ?)", call_id, chunk.index, chunk.SerializeToString()
                )
        self._signals.notify(call_id)

    def chunks_after(self, call_id: str, index: int) -> list[api_pb2.DataChunk]:
        rows = self._store.rows(
            "SELECT chunk FROM chunks WHERE call_id = ? AND idx > ? ORDER BY idx LIMIT ?",
            call_id,
            index,
            _OUTPUTS_PER_ANSWER,
        )
        return [api_pb2.DataChunk.FromString(row[0]) for row in rows]
