"""A `flyctl` that answers from a script: tests put it on PATH, say what it answers, and read what it was asked."""

import json
import os
import stat
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RUN = f"""#!{sys.executable}
import json, os, pathlib, sys
folder = pathlib.Path(os.environ["FLYCTL_STUB"])
words = sys.argv[1:]
replies = json.loads((folder / "replies.json").read_text())
call = {{"argv": words, "stdin": "" if sys.stdin.isatty() else sys.stdin.read(), "env": dict(os.environ)}}
config = words[words.index("--config") + 1] if "--config" in words else None
call["config"] = pathlib.Path(config).read_text() if config else None
with (folder / "calls.jsonl").open("a") as log:
    log.write(json.dumps(call) + chr(10))
for number, reply in enumerate(replies):
    if words[: len(reply["on"])] == reply["on"]:
        if not reply["keep"]:
            del replies[number]
            (folder / "replies.json").write_text(json.dumps(replies))
        sys.stdout.write(reply["stdout"])
        sys.stderr.write(reply["stderr"])
        sys.exit(reply["exit"])
sys.exit("no reply for " + " ".join(words))
"""


@dataclass
class Flyctl:
    """`replies` are used up in order, but the last one for the same words stays."""

    folder: Path

    def replies(self, *replies: tuple[str, dict[str, Any]]) -> None:
        """Each is the leading words of a call and the recorded fact to answer with."""
        last = {on: number for number, (on, _) in enumerate(replies)}
        script = [
            {
                "on": on.split(),
                "stdout": fact.get("stdout") or "",
                "stderr": fact.get("stderr") or "",
                "exit": fact.get("exit", 0),
                "keep": last[on] == number,
            }
            for number, (on, fact) in enumerate(replies)
        ]
        (self.folder / "replies.json").write_text(json.dumps(script))

    @property
    def calls(self) -> list[dict[str, Any]]:
        log = self.folder / "calls.jsonl"
        return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []

    def asked(self, *words: str) -> list[dict[str, Any]]:
        """Calls that begin with these words."""
        return [call for call in self.calls if call["argv"][: len(words)] == list(words)]


def install(folder: Path) -> Flyctl:
    """The caller puts `folder` first on PATH and its name into FLYCTL_STUB."""
    command = folder / "flyctl"
    command.write_text(RUN)
    command.chmod(command.stat().st_mode | stat.S_IXUSR)
    return Flyctl(folder)


def environment(folder: Path) -> dict[str, str]:
    return {"FLYCTL_STUB": str(folder), "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
