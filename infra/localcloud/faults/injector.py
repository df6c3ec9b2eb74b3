"""One plan at work: counts the calls of all stand-ins, says what each meets, and keeps the log.

The plan may lie in a file: it is looked at before each call, and when the file was replaced the new plan begins with
all counts at zero. No network address changes faults, so nothing of it can be taken for a cloud's API.
"""

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from infra.localcloud.faults.plan import Fault, FaultPlan, Service

LOST = 0


@dataclass
class Call:
    """`number`: from 1 in the order of arrival; `status`: HTTP's or gRPC's, None while it is handled, 0 if lost."""

    number: int
    service: Service
    call: str
    fault: str = ""
    status: int | None = None


class Faults:
    """Give one to all stand-ins of a cloud. `calls` are all calls since the start, in order of arrival."""

    def __init__(self, plan: FaultPlan | None = None, *, file: Path | None = None, log: Path | None = None) -> None:
        """`file`: where the plan is read from, now and when it changes; raises PlanError. `log`: gets JSON lines."""
        self.calls: list[Call] = []
        self._file, self._log = file, log
        self._seen: tuple[int, int, int] | None = None
        self._plan = plan or FaultPlan()
        self._counts: dict[int, int] = {}
        self._look()

    @property
    def plan(self) -> FaultPlan:
        return self._plan

    def use(self, plan: FaultPlan) -> None:
        """Another plan from the next call on, with all counts at zero."""
        self._plan = plan
        self._counts = {}

    def begin(self, service: Service, call: str) -> tuple[Call, Fault | None]:
        """Raises PlanError when the file holds no plan any more: a run with the wrong faults proves nothing."""
        self._look()
        fault = self._plan.meet(service, call, self._counts)
        begun = Call(len(self.calls) + 1, service, call, fault.fault if fault else "")
        self.calls.append(begun)
        return begun, fault

    def end(self, call: Call, status: int) -> None:
        call.status = status
        self._write(asdict(call))

    def _look(self) -> None:
        if self._file is None:
            return
        found = self._file.stat() if self._file.exists() else None
        seen = (found.st_ino, found.st_mtime_ns, found.st_size) if found else None
        if seen is None or seen != self._seen:
            self.use(FaultPlan.read(self._file))
            self._seen = seen
            said = f"faults: seed {self._plan.seed}, {len(self._plan.rules)} rules from {self._file}"
            print(said, file=sys.stderr, flush=True)  # noqa: T201 -- the local cloud's log
            self._write({"seed": self._plan.seed, "rules": len(self._plan.rules)})

    def _write(self, line: dict[str, object]) -> None:
        if self._log is not None:
            with self._log.open("a") as log:
                log.write(json.dumps(line) + "\n")
