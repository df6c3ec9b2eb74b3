"""Which files each deployment ships, and one hash over exactly those: a change elsewhere deploys nothing."""

import hashlib
import os
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent


class Shipment(NamedTuple):
    """Folders and files under the repository's root, less the patterns (against the path below the root)."""

    paths: tuple[str, ...]
    without: tuple[str, ...] = ()


_DERIVED_FOLDERS = {"__pycache__", "node_modules", "dist"}
_DERIVED = ("*.pyc", "*.md")

IMAGE = Shipment(("app", "gpu", "requirements/image.lock", ".dockerignore"), ("app/web/*", "app/fly.*.toml", *_DERIVED))
FUNCTIONS = Shipment(("gpu", "requirements/gpu.lock", "requirements/networks.lock"), _DERIVED)
WEB = Shipment(("app/web",), ("app/web/landing/*", "*.tsbuildinfo", *_DERIVED))
LANDING = Shipment(("app/web/landing",), _DERIVED)


def files(shipment: Shipment, root: Path = ROOT) -> Iterator[Path]:
    """The shipped files in a fixed order."""
    for top in (root / path for path in shipment.paths):
        for path in _walk(top) if top.is_dir() else [top]:
            name = path.relative_to(root).as_posix()
            if not any(fnmatch(name, pattern) for pattern in shipment.without):
                yield path


def _walk(top: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(top):
        folders[:] = sorted(set(folders) - _DERIVED_FOLDERS)
        yield from (Path(folder, name) for name in sorted(names))


def content_hash(shipment: Shipment, root: Path = ROOT) -> str:
    """SHA-256 in hex over names and contents; file times and modes do not count."""
    digest = hashlib.sha256()
    for path in files(shipment, root):
        name = path.relative_to(root).as_posix().encode()
        content = path.read_bytes()
        digest.update(b"%d %s %d " % (len(name), name, len(content)))
        digest.update(content)
    return digest.hexdigest()
