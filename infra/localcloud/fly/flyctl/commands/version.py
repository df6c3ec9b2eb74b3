"""`flyctl version`, whose behaviour was recorded, and `flyctl auth whoami`."""

import json

from infra.localcloud.fly.flyctl.run import Run
from infra.localcloud.fly.ids import EMAIL

VERSION = "2026.8.21-dev.1787270400"
BUILD_DATE = "2026-08-21T00:00:00Z"


def version(run: Run) -> None:
    if run.flags.on("--json"):
        facts = {
            "Name": "flyctl",
            "Version": VERSION,
            "Commit": "<none>",
            "BranchName": "loopback",
            "BuildDate": BUILD_DATE,
            "OS": "linux",
            "Architecture": "amd64",
            "Environment": "development",
        }
        run.say(json.dumps(facts, separators=(",", ":")))
        return
    run.say(f"flyctl v{VERSION} linux/amd64 Commit: <none> BuildDate: {BUILD_DATE} BranchName: loopback")


def whoami(run: Run) -> None:
    _ = run.api
    run.say(EMAIL)
