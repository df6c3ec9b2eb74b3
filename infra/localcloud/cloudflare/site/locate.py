"""Which file of a deployment a path means, as Pages' asset server decides (wrangler `pages-shared/asset-server`).

HTML is served without its extension: `/x.html` redirects to `/x`, `/x/index.html` to `/x/`. An unknown path shows the
nearest `404.html` above it, else `/index.html` with 200 (single-page application), else nothing.
"""

from collections.abc import Container
from dataclasses import dataclass


@dataclass(frozen=True)
class File:
    path: str
    status: int = 200


@dataclass(frozen=True)
class Moved:
    """308 to this decoded path."""

    path: str


def locate(files: Container[str], path: str) -> File | Moved | None:
    """`path` is decoded and starts with '/'; None when there is neither the file nor a page to show instead."""
    found = _directory(files, path) if path.endswith("/") else _file(files, path)
    return found or _fallback(files, path)


def _directory(files: Container[str], path: str) -> File | Moved | None:
    if path + "index.html" in files:
        return File(path + "index.html")
    if path.endswith("/index/"):
        return Moved(path.removesuffix("index/"))
    if path[:-1] + ".html" in files:
        return Moved(path[:-1])
    return None


def _file(files: Container[str], path: str) -> File | Moved | None:
    if path in files:
        return _html(files, path) if path.endswith(".html") else File(path)
    if path.endswith("/index"):
        return Moved(path.removesuffix("index"))
    if path + ".html" in files:
        return File(path + ".html")
    if path + "/index.html" in files:
        return Moved(path + "/")
    return None


def _html(files: Container[str], path: str) -> File | Moved:
    bare = path.removesuffix(".html")
    if bare.endswith("/index"):
        return Moved(bare.removesuffix("index"))
    if bare in files or bare == "/":
        return File(path)
    return Moved(bare)


def _fallback(files: Container[str], path: str) -> File | None:
    folder = path
    while folder:
        folder = folder[: folder.rfind("/")]
        if folder + "/404.html" in files:
            return File(folder + "/404.html", status=404)
    return File("/index.html") if "/index.html" in files else None
