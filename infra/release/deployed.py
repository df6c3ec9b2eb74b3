"""What is deployed in a stack: enough of it to come back to."""

import json
import re
from dataclasses import asdict, dataclass
from typing import Any, Self

from infra.release.engine import Engine, Update
from infra.release.errors import ReleaseError


@dataclass(frozen=True)
class Deployed:
    """`commit`: of the program and its stack file; `dirty`: there were changes on top of it that no commit holds."""

    commit: str
    dirty: bool
    image: str
    site_digest: str

    @classmethod
    def from_json(cls, text: str) -> Self | None:
        """None for `{}`: the stack had never been up. Raises ReleaseError."""
        try:
            values: dict[str, Any] = json.loads(text)
            return cls(**values) if values else None
        except (ValueError, TypeError):
            raise ReleaseError("that is not what `python -m infra.release before` printed") from None

    def to_json(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)


def deployed(engine: Engine, stack: str) -> Deployed | None:
    """The release of the last update that succeeded; None where there is none or the stack was destroyed since."""
    last = _last(engine.history(stack))
    if last is None:
        return None
    outputs = engine.outputs(stack)
    return Deployed(last.commit, last.dirty, str(outputs.get("image", "")), str(outputs.get("site_digest", "")))


def _last(history: list[Update]) -> Update | None:
    for update in history:
        if update.result == "succeeded" and update.kind == "destroy":
            return None
        if update.result == "succeeded" and update.kind == "update":
            return update
    return None


def check(before: Deployed | None, stack: str) -> Deployed:
    """The release if it can be built again from what is known of it; raises ReleaseError."""
    if before is None:
        raise ReleaseError(f"there is nothing to roll back to: {stack} had never been up before")
    if not re.fullmatch(r"[0-9a-f]{40}", before.commit):
        raise ReleaseError(f"nobody knows which commit of the program {stack} was on: it was deployed outside git")
    if before.dirty:
        raise ReleaseError(
            f"{stack} was deployed from {before.commit[:12]} with changes that were not committed, so what ran before "
            "cannot be built again; deploy a commit by hand"
        )
    if not re.fullmatch(r"[^@\s]+@sha256:[0-9a-f]{64}", before.image):
        raise ReleaseError(f"{stack} had no image with a digest before ({before.image!r}); deploy a commit by hand")
    return before
