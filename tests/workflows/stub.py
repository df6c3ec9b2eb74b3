"""A command that answers from a script and remembers its calls, for PATH."""

import json
import sys
from pathlib import Path
from typing import Any

CODE = f"""#!{sys.executable}
import json, os, pathlib, sys
here = pathlib.Path(__file__)
call = {{"argv": sys.argv[1:], "env": dict(os.environ)}}
files = [sys.argv[at + 1] for at, word in enumerate(sys.argv[:-1]) if word in ("--body-file", "--config-file")]
call["files"] = [pathlib.Path(file).read_text() for file in files]
with here.with_suffix(".calls").open("a") as log:
    log.write(json.dumps(call) + chr(10))
for words, text, status in json.loads(here.with_suffix(".replies").read_text()):
    if sys.argv[1 : 1 + len(words)] == words:
        sys.stdout.write(text)
        sys.exit(status)
sys.exit("no reply for " + " ".join(sys.argv[1:]))
"""


class Stub:
    """`replies`: the first whose words begin the call is its answer."""

    def __init__(self, folder: Path, name: str) -> None:
        self.path = folder / name
        self.path.write_text(CODE)
        self.path.chmod(0o755)
        self.replies()

    def replies(self, *replies: tuple[str, str, int]) -> None:
        listed = [(words.split(), text, status) for words, text, status in replies]
        self.path.with_suffix(".replies").write_text(json.dumps(listed))

    @property
    def calls(self) -> list[dict[str, Any]]:
        log = self.path.with_suffix(".calls")
        return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []

    @property
    def said(self) -> list[str]:
        return [" ".join(call["argv"]) for call in self.calls]
