"""Builds an image: which files of the context end up where, the digest over all of it, and the copy in the store."""

import hashlib
import json
import posixpath
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel

from infra.localcloud.fly.errors import InvalidError
from infra.localcloud.fly.images.ignore import IgnoreRules, context_files, translate
from infra.localcloud.fly.images.recipe import Copy, Recipe


class Image(BaseModel):
    """The stored description of an image; `argv[0]` may be `python`, which a machine replaces."""

    digest: str
    environment: dict[str, str]
    folder: str
    argv: list[str]
    size_bytes: int


@dataclass(frozen=True)
class Layout:
    """Absolute path in the image -> file or symbolic link of the context."""

    files: Mapping[str, Path]

    @property
    def size_bytes(self) -> int:
        return sum(path.lstat().st_size for path in self.files.values())


def lay_out(context: Path, rules: IgnoreRules, recipe: Recipe) -> Layout:
    """Follows the recipe's COPY lines; raises InvalidError for a source that the context does not have."""
    available = list(context_files(context, rules))
    files: dict[str, Path] = {}
    for copy in recipe.copies:
        for source in copy.sources:
            matched = list(_matches(source, available))
            if not matched:
                raise InvalidError(
                    f'failed to solve: failed to compute cache key: "/{source}" not found in the build context '
                    "(it does not exist, or the ignore file leaves it out)"
                )
            for path, below in matched:
                files[_target(copy, path, below)] = context / path
    return Layout(files)


def digest_of(layout: Layout, recipe: Recipe) -> str:
    """The same files at the same places with the same command are the same image."""
    total = hashlib.sha256()
    config = [dict(recipe.environment), recipe.folder, recipe.argv]
    total.update(json.dumps(config, sort_keys=True).encode())
    for target, source in sorted(layout.files.items()):
        total.update(json.dumps([target, _mode(source), _content_hash(source)]).encode())
    return f"sha256:{total.hexdigest()}"


def copy_image(layout: Layout, image: Image, folder: Path) -> None:
    """Fills `folder` (which must not exist) by one rename, so that it never exists half made."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=".build-", dir=folder.parent))
    try:
        for target, source in layout.files.items():
            destination = temporary / "root" / target.lstrip("/")
            destination.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, destination, follow_symlinks=False)
        (temporary / "root" / image.folder.lstrip("/")).mkdir(parents=True, exist_ok=True)
        (temporary / "image.json").write_text(image.model_dump_json(), encoding="utf-8")
        temporary.rename(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _matches(source: str, available: list[str]) -> Iterator[tuple[str, str | None]]:
    """Pairs of a context path and what follows the matched folder in it; None where the pattern matched a file."""
    if source == ".":
        yield from ((path, path) for path in available)
        return
    expression = re.compile(translate(source))
    for path in available:
        parts = path.split("/")
        for count in range(1, len(parts) + 1):
            if expression.fullmatch("/".join(parts[:count])):
                yield path, "/".join(parts[count:]) or None
                break


def _target(copy: Copy, path: str, below: str | None) -> str:
    if below is not None:
        return posixpath.join(copy.destination, below)
    if copy.destination.endswith("/"):
        return posixpath.join(copy.destination, posixpath.basename(path))
    return copy.destination


def _mode(path: Path) -> str:
    if path.is_symlink():
        return "link"
    return "executable" if path.stat().st_mode & 0o100 else "file"


def _content_hash(path: Path) -> str:
    if path.is_symlink():
        return str(path.readlink())
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
