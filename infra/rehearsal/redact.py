"""Takes secret values out of text: as they are, inside JSON, inside a URL, and line by line."""

import json
from urllib.parse import quote, quote_plus

from infra.rehearsal.values import SECRET_SHOWN, UNKNOWN, Value, replaced

SHORTEST = 4
"""Shorter values are left alone: hiding every `1` would hide the text, not the secret."""


class Redactor:
    """Collects secrets while a run goes on; `text()` hides all that are known by then."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._forms: tuple[str, ...] = ()

    def add(self, *secrets: str) -> None:
        new = {secret for secret in secrets if len(secret) >= SHORTEST} - self._known
        if not new:
            return
        self._known |= new
        forms = set().union(*(_forms(secret) for secret in self._known))
        self._forms = tuple(sorted(forms, key=lambda form: (-len(form), form)))

    def text(self, text: str) -> str:
        for form in self._forms:
            if form in text:
                text = text.replace(form, SECRET_SHOWN)
        return text

    def holds(self, text: str) -> bool:
        """Whether a secret is somewhere in the text."""
        return any(form in text for form in self._forms)

    def value(self, value: Value) -> Value:
        """The value with every text in it redacted."""
        return replaced(value, lambda part: (True, self.text(part)) if isinstance(part, str) else (False, None))


def _forms(secret: str) -> set[str]:
    if secret == UNKNOWN:
        return set()
    lines = {line.strip() for line in secret.splitlines() if len(line.strip()) >= 2 * SHORTEST}
    spelled = {secret, *lines}
    for one in [*spelled]:
        spelled |= {json.dumps(one)[1:-1], json.dumps(one, ensure_ascii=False)[1:-1]}
        spelled |= {quote(one), quote(one, safe=""), quote_plus(one)}
    return spelled
