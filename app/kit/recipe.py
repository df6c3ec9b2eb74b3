"""What a render is made from. Equal recipes make equal pictures; the hash ties a reel to the edit that made it."""

import hashlib

from gpu.contract import RenderKind
from gpu.plan.spec import EditSpec, Value

_FORMAT = 1


class Recipe(Value):
    """Kind, source and edit: everything that decides the output, and nothing else."""

    kind: RenderKind
    media_id: str
    spec: EditSpec

    @property
    def sha256(self) -> str:
        """Hex; of the JSON without defaults, so that a new field of the spec leaves old recipes as they are."""
        return hashlib.sha256(f"{_FORMAT}\n{self.model_dump_json(exclude_defaults=True)}".encode()).hexdigest()

    @property
    def frames_total(self) -> int:
        return self.spec.out_frame - self.spec.in_frame


class RenderSource(Value):
    """A recipe and where it came from; exactly one of `project_id` and `clip_id` is set. `title` names the file."""

    recipe: Recipe
    title: str
    project_id: str | None = None
    clip_id: str | None = None
