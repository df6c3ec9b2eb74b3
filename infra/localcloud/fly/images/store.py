"""The image registry of this cloud: images by digest in `sha256-<hex>/`, never overwritten; tags in `tags.json`."""

import json
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from infra.localcloud.fly.errors import NotFoundError
from infra.localcloud.fly.ids import new_ulid
from infra.localcloud.fly.images.build import Image, copy_image, digest_of, lay_out
from infra.localcloud.fly.images.ignore import IgnoreRules
from infra.localcloud.fly.images.recipe import read_recipe
from infra.localcloud.fly.model import ImageReference
from infra.localcloud.fly.store import replace_file

_REFERENCE = re.compile(
    r"registry\.fly\.io/(?P<repository>[a-z0-9][a-z0-9_-]*)(?::(?P<tag>[\w][\w.-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)


@dataclass(frozen=True)
class Source:
    """What a build reads: all paths absolute; without `ignorefile` the context's own `.dockerignore` counts."""

    context: Path
    dockerfile: Path
    ignorefile: Path | None = None
    arguments: Mapping[str, str] = field(default_factory=dict)
    target: str = ""
    label: str = ""


@dataclass(frozen=True)
class Build:
    reference: ImageReference
    image: Image
    skipped: tuple[str, ...]


class ImageStore:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._tags = folder / "tags.json"
        self._building = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True)

    def build(self, app: str, source: Source) -> Build:
        """Blocking, one at a time; raises InvalidError where a docker build would fail."""
        with self._building:
            return self._build(app, source)

    def _build(self, app: str, source: Source) -> Build:
        recipe = read_recipe(source.dockerfile.read_text(encoding="utf-8"), source.arguments, source.target)
        ignorefile = source.ignorefile or source.context / ".dockerignore"
        rules = IgnoreRules.read(ignorefile) if ignorefile.is_file() else IgnoreRules(["fly.toml"])
        layout = lay_out(source.context, rules, recipe)
        image = Image(
            digest=digest_of(layout, recipe),
            environment=dict(recipe.environment),
            folder=recipe.folder,
            argv=list(recipe.argv),
            size_bytes=layout.size_bytes,
        )
        if not self._path(image.digest).is_dir():
            copy_image(layout, image, self._path(image.digest))
        tag = source.label or f"deployment-{new_ulid()}"
        self._save_tag(f"{app}:{tag}", image.digest)
        return Build(ImageReference(repository=app, tag=tag, digest=image.digest), image, recipe.skipped)

    def resolve(self, text: str) -> ImageReference:
        """The image that a reference names, whichever app built it; raises NotFoundError for one that none did."""
        match = _REFERENCE.fullmatch(text)
        if match is None:
            raise NotFoundError(f'could not find image "{text}"')
        repository, tag = match["repository"], match["tag"]
        tags = self._read_tags()
        digest = match["digest"] or tags.get(f"{repository}:{tag}", "")
        theirs = {value for name, value in tags.items() if name.partition(":")[0] == repository}
        if digest not in theirs or not self._path(digest).is_dir():
            raise NotFoundError(f'could not find image "{text}"')
        return ImageReference(repository=repository, tag=tag, digest=digest)

    def image(self, digest: str) -> Image:
        return Image.model_validate_json((self._path(digest) / "image.json").read_bytes())

    def root(self, digest: str) -> Path:
        """The folder that is `/` of the image."""
        return self._path(digest) / "root"

    def _path(self, digest: str) -> Path:
        return self._folder / digest.replace(":", "-")

    def _read_tags(self) -> dict[str, str]:
        if not self._tags.is_file():
            return {}
        tags: dict[str, str] = json.loads(self._tags.read_bytes())
        return tags

    def _save_tag(self, name: str, digest: str) -> None:
        replace_file(self._tags, json.dumps({**self._read_tags(), name: digest}, indent=1).encode())
