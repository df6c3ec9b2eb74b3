"""The command: a table on standard error, one JSON line on standard output; 1 for failed rows, 2 for a bad file."""

import asyncio
import json
from pathlib import Path

from infra.deploy.verify.outputs import Outputs, OutputsError, load
from infra.deploy.verify.report import to_stderr
from infra.deploy.verify.rounds import verify

USAGE = "usage: python -m infra.deploy verify OUTPUTS.json"


def main(words: list[str]) -> int:
    if len(words) != 1:
        to_stderr(USAGE)
        return 2
    try:
        outputs = load(Path(words[0]))
    except OutputsError as error:
        to_stderr(f"verify: {error}")
        return 2
    return run(outputs)


def run(outputs: Outputs) -> int:
    """0 when every row is ok, 1 otherwise."""
    try:
        report = asyncio.run(verify(outputs, to_stderr))
    except (KeyboardInterrupt, asyncio.CancelledError):
        to_stderr("verify: interrupted; what it had made is removed as far as the rows above say")
        return 130
    if report.failed:
        to_stderr(f"verify: failed rows: {', '.join(report.failed)}")
    print(json.dumps({"ok": not report.failed, "failed": report.failed}))  # noqa: T201 -- the result
    return 1 if report.failed else 0
