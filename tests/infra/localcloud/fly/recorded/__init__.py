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
    # How often a check was seen failing before it passed depends on the machine, not on flyctl.
    (r"> [^\n]*to become healthy: 0/1\n\n?", ""),
    (r"\b\S+\.toml\b", "<toml>"),
)


@dataclass(frozen=True)
class Record:
    argv: list[str]
    exit: int | None
    stdout: str = ""
    stderr: str = ""
    stdin: str = ""
    env: dict[str, str | None] = field(default_factory=dict)

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


def shape(value: Any) -> Any:
    """The keys of a JSON value, with the type instead of each leaf; of a list only the first element."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shape(item) for item in value[:1]]
    return type(value).__name__
