import io
import re
import threading

from infra.rehearsal.console import Console
from infra.rehearsal.diff import Changes
from infra.rehearsal.journal import Journal, Operation
from infra.rehearsal.lines import Lines
from infra.rehearsal.redact import Redactor
from infra.rehearsal.resource import Resource
from infra.rehearsal.values import Values, secret
from tests.infra.rehearsal.support import urn


def console(preview: bool = False) -> tuple[Console, Journal, io.StringIO]:
    stream, redactor = io.StringIO(), Redactor()
    redactor.add("hush-hush")
    made = Console(redactor, preview, stream)
    return made, Journal(made), stream


def thing(name: str = "a") -> Resource:
    return Resource(urn(name, "cloudflare:index/r2Bucket:R2Bucket"), "cloudflare:index/r2Bucket:R2Bucket", name, True)


def test_a_short_step_takes_one_line_and_an_unchanged_one_none() -> None:
    _, journal, stream = console()
    journal.note(Operation("same", thing()))
    journal.note(Operation("create", thing(), note="it was no longer there"))
    assert stream.getvalue() == "  + cloudflare:R2Bucket a created  [it was no longer there]\n"


def test_a_failure_and_what_is_said_are_redacted() -> None:
    _, journal, stream = console()
    operation = journal.begin(Operation("update", thing()))
    journal.say(operation.urn, "using hush-hush")
    journal.end(operation, "no hush-hush")
    journal.fail("cannot: hush-hush\nat all", operation.urn)
    assert stream.getvalue() == (
        "      a: using [secret]\n  ~ cloudflare:R2Bucket a updating failed\nerror: a: cannot: [secret]\n    at all\n"
    )


def test_a_preview_shows_what_differs() -> None:
    _, journal, stream = console(preview=True)
    journal.note(
        Operation("update", thing(), thing(), Changes({"rules[0].origin": "update", "name": "update-replace"}))
    )
    assert stream.getvalue() == "  ~ cloudflare:R2Bucket a update  [rules[0].origin, ±name]\n"


def test_a_long_step_is_mentioned_while_it_runs() -> None:
    shown, journal, stream = console()
    operation = journal.begin(Operation("create", thing()))
    operation.began -= 60
    shown.start()
    try:
        pause = threading.Event()
        while "creating" not in stream.getvalue():
            pause.wait(0.02)
    finally:
        shown.stop()
    journal.end(operation)
    assert "cloudflare:R2Bucket a creating ..." in stream.getvalue()
    [seconds] = re.findall(r"created \((\d+)", stream.getvalue())
    assert int(seconds) >= 60


def test_the_summary_counts_a_replacement_once_and_says_when_nothing_changed() -> None:
    shown, journal, stream = console()
    journal.note(Operation("same", thing()))
    shown.summary(journal, 1.25, "up", interrupted=False)
    assert "nothing changed: 1 resources are as they should be (1.2 s)" in stream.getvalue()
    for op in ("create-replacement", "replace", "delete-replaced"):
        journal.note(Operation(op, thing("b")))
    shown.summary(journal, 2, "up", interrupted=False)
    assert "  +- 1 replaced\n     1 unchanged\n  done in 2.0 s\n" in stream.getvalue()


def test_outputs_are_a_table_without_secrets() -> None:
    shown, _, stream = console()
    values: Values = {"url": "http://x", "key": secret("y"), "list": [1, "hush-hush"]}
    shown.outputs(values)
    assert stream.getvalue() == '\noutputs:\n  key   [secret]\n  list  [1, "[secret]"]\n  url   http://x\n'


def test_printed_text_becomes_lines() -> None:
    heard: list[str] = []
    lines = Lines(heard.append)
    print("one", "two", file=lines)
    print("three", end="", file=lines)
    assert heard == ["one two"]
    lines.close()
    assert heard == ["one two", "three"]
