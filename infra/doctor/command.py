"""The command: rows on standard error, then what to do about them, and one JSON line on standard output."""

import asyncio
import json
from functools import partial
from typing import Any

from infra.deploy.verify.outputs import Outputs
from infra.deploy.verify.report import to_stderr
from infra.doctor.patient import Patient
from infra.doctor.rounds import examined


def see(outputs: Outputs, stack: str, **facts: Any) -> int:  # noqa: ANN401 -- fields of Patient
    """0 when nothing fails, hints or not; 1 otherwise."""
    patient_of = partial(Patient, stack=stack, **facts)
    try:
        report, remedies = asyncio.run(examined(patient_of, outputs, to_stderr))
    except (KeyboardInterrupt, asyncio.CancelledError):
        to_stderr("doctor: interrupted; what it had made is removed as far as the rows above say")
        return 130
    for name, remedy in remedies:
        to_stderr(f"\n{name}: what to do\n    {remedy}")
    result = {"ok": not report.failed, "failed": report.failed, "hints": report.hints}
    print(json.dumps(result))  # noqa: T201 -- the result
    return 1 if report.failed else 0
