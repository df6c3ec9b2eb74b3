"""What the real flyctl 2026.8.21 answered (`behaviour.json`), and how two answers are compared."""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_CHANGING = (
    (r"http://127\.0\.0\.1:(?!9/|9\b)\d+", "<stub>"),
    (r"\(Request ID: [^)]*\)", "(Request ID: <id>)"),
    (r" \(Trace ID: [^)]*\)", ""),
    (r"\b[0-9a-f]{14}\b", "<machine>"),
    (r"rel_[0-9a-f]{20}", "<release>"),
    (r"sha256:[0-9a-f]{64}", "<digest>"),
    (r"img_[0-9a-f]{16}", "<image>"),
    (r"2a09:[0-9a-f:]+", "<v6>"),
    (r"wait timeout: \S+", "wait timeout: <timeout>"),
    (r'"version":\d+', '"version":<n>'),
    (r"Stub User", "Local User"),
    (r"stub@example\.com", "local@example.com"),
    # How often a check was seen failing before it passed depends on the machine, not on flyctl.
    (r"> [^\n]*to become healthy: 0/1\n\n?", ""),
    (r"\b\S+\.toml\b", "<toml>"),
    (r"\d{4}-\d\d-\d\dT[\d:.]+Z", "<time>"),
    (r"\d+ \w+ from (now|<ago>)", "<later>"),
    (r"\bjust now\b|\b[\dhm]+s ago\b", "<ago>"),
    (r"BuildDate: \S+ BranchName: \S+", "BuildDate: <time> BranchName: <branch>"),
    (r"lease currently held by \S+,", "lease currently held by <someone>,"),
)


@dataclass(frozen=True)
class Record:
    argv: list[str]
    exit: int | None
    stdout: str = ""
    stderr: str = ""
    stdin: str = ""
    env: dict[str, str | None] = field(default_factory=dict)
    stub: Any = None
    """What the recorder's stand-in of Fly's APIs was told to do, where that was not the usual."""
    note: str = ""

    @property
    def json(self) -> Any:
        return json.loads(self.stdout)


def load() -> dict[str, Record]:
    document = json.loads(Path(__file__).with_name("behaviour.json").read_text(encoding="utf-8"))
    return {name: Record(**record) for name, record in document["records"].items()}


def normal(text: str) -> str:
    """The text without what differs from run to run."""
    for pattern, replacement in _CHANGING:
        text = re.sub(pattern, replacement, text)
    return text.strip()


def rows(text: str) -> list[list[str]]:
    """The cells of a table's lines, whose widths depend on what differs from run to run."""
    return [[cell.strip() for cell in line.split("│")] for line in normal(text).splitlines()]


def machine_lines(text: str) -> dict[str, list[str]]:
    """What was said of each machine, in its order: machines that are updated at a time are told in any order."""
    said: dict[str, list[str]] = {}
    for line in text.splitlines():
        number = re.match(r"[>✔✖] \[(\d)/\d\]", line)
        if line:
            said.setdefault(number[1] if number else "", []).append(normal(line))
    return said


def shape(value: Any) -> Any:
    """The keys of a JSON value, with the type instead of each leaf; of a list only the first element."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shape(item) for item in value[:1]]
    return type(value).__name__
