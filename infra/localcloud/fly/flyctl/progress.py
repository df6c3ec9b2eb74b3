"""What a deploy is doing, as far as its own words tell, and what flyctl says of it when it is interrupted."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from infra.localcloud.fly.flyctl.run import Run

_BEGUN = re.compile(r"> (?P<prefix>\[\d+/\d+\] )?Updating (?P<machine>\S+) \[app\]")
_ENDED = re.compile(r"[✔✖] (?:\[\d+/\d+\] )?Machine (?P<machine>\S+) \[app\] update")
_LEASE_COMES_NEXT = "INFO Using wait timeout:"
_ALLOWING = "INFO detected canceled context and allowing 500ms to release machine"


class Progress:
    """Machines being updated, by id, with the prefix of their lines."""

    def __init__(self, app: str) -> None:
        self._app = app
        self._updating: dict[str, str] = {}
        self._waits_for_lease = False

    def note(self, text: str) -> None:
        self._waits_for_lease = text.startswith(_LEASE_COMES_NEXT)
        if begun := _BEGUN.match(text):
            self._updating[begun["machine"]] = begun["prefix"] or ""
        elif ended := _ENDED.match(text):
            self._updating.pop(ended["machine"], None)

    @contextmanager
    def told_when_interrupted(self, run: Run) -> Iterator[None]:
        try:
            yield
        except KeyboardInterrupt:
            self._tell(run)
            raise

    def _tell(self, run: Run) -> None:
        if self._waits_for_lease:
            run.say("WARN failed to acquire lease: context canceled\n")
        for machine, prefix in self._updating.items():
            run.say(f"✖ {prefix}Machine {machine} [app] update canceled while it was in progress")
        run.say(f"{_ALLOWING} leases\n")
        for machine in self._updating:
            run.say(f"{_ALLOWING} {machine} [app] lease\n")
            monitoring = f"https://fly.io/apps/{self._app}/monitoring?region=&instance={machine}"
            run.note(
                "Warn: got an error retrieving the logs so we can't show you what failed. Use "
                f"`fly logs -i {machine}` or open the monitoring dashboard to see them: {monitoring}"
            )
