"""What a render is made from. Equal recipes make equal pictures; the hash ties a reel to the edit that made it."""

import hashlib

from pydantic_core import to_json

from gpu.contract import RenderKind
from gpu.plan.spec import EditSpec, Value

_FORMAT = 1
_FIRST_FIELDS = ("in_frame", "out_frame", "crop_keyframes", "size", "audio")
"""Of a spec when it was one clip, in the order in which they were hashed."""


class Recipe(Value):
    """Kind, source and edit: everything that decides the output, and nothing else."""

    kind: RenderKind
    media_id: str
    spec: EditSpec

    @property
    def sha256(self) -> str:
        """Hex; of the JSON without defaults, so that a new field of the spec leaves old recipes as they are.

        A single clip is hashed as it was when there was only one.
        """
        facts = self.model_dump(mode="json", exclude_defaults=True)
        clips = facts["spec"].pop("clips")
        spec = {**clips[0], **facts["spec"]} if len(clips) == 1 else {"clips": clips, **facts["spec"]}
        first = {name: spec.pop(name) for name in _FIRST_FIELDS if name in spec}
        text = to_json({**facts, "spec": {**first, **spec}}).decode()
        return hashlib.sha256(f"{_FORMAT}\n{text}".encode()).hexdigest()

    @property
    def frames_total(self) -> int:
        """Frames of the clips; what speeds and transitions make of them is known when the render has planned."""
        return sum(clip.frame_count for clip in self.spec.clips)


class RenderSource(Value):
    """A recipe and where it came from; exactly one of `project_id` and `clip_id` is set. `title` names the file."""

    recipe: Recipe
    title: str
    project_id: str | None = None
    clip_id: str | None = None
