"""A complaint is a check and what to do when it fails or has a hint."""

from collections.abc import Sequence
from dataclasses import dataclass

from infra.deploy.verify.report import Check, Report


@dataclass(frozen=True)
class Complaint:
    """`remedy`: a command to type, and what it mends."""

    check: Check
    remedy: str


def with_remedy(checks: Sequence[Check], remedy: str) -> list[Complaint]:
    return [Complaint(check, remedy) for check in checks]


async def examine(report: Report, complaints: Sequence[Complaint]) -> list[tuple[str, str]]:
    """Names and remedies of those that failed or have a hint."""
    found = []
    for complaint in complaints:
        await report.run(complaint.check)
        if report.rows[-1].state in ("FAIL", "hint"):
            found.append((complaint.check.name, complaint.remedy))
    return found
