"""The repository as it was at a commit, in a folder of its own, with what `make setup` installs."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.release.errors import ReleaseError

# What is installed, and the lock that says what it holds.
INSTALLED = {".venv": "requirements/dev.lock", "app/web/node_modules": "app/web/package-lock.json"}


@contextmanager
def checked_out(commit: str, root: Path) -> Iterator[Path]:
    """A clean working tree of `commit`, gone at the end; raises ReleaseError for a commit that this clone lacks."""
    if _git(root, "cat-file", "-e", f"{commit}^{{commit}}") != 0:
        raise ReleaseError(
            f"commit {commit[:12]} is not in this clone: fetch it (`git fetch --unshallow`; "
            "in a workflow `fetch-depth: 0`), then run this again"
        )
    with tempfile.TemporaryDirectory(prefix="release-") as scratch:
        tree = Path(scratch).resolve() / "tree"
        if _git(root, "worktree", "add", "--detach", str(tree), commit) != 0:
            raise ReleaseError(f"git could not check out {commit[:12]} beside this clone; why is above")
        try:
            _install(tree, root)
            yield tree
        finally:
            _git(root, "worktree", "remove", "--force", str(tree))
            _git(root, "worktree", "prune")


def _install(tree: Path, root: Path) -> None:
    """What is installed here serves there too where the locks are the same; otherwise it is installed anew."""
    if all(_same(tree / lock, root / lock) and (root / name).is_dir() for name, lock in INSTALLED.items()):
        for name, lock in INSTALLED.items():
            _lend(root / name, tree / name)
            _copy_times(root / lock, tree / lock)
    elif subprocess.run(["make", "setup"], cwd=tree, stdout=2, check=False).returncode != 0:
        raise ReleaseError("`make setup` of the commit to roll back to failed; why is above")


def _lend(source: Path, target: Path) -> None:
    """A folder of links: git ignores the folder by its name, and would take one link for a change."""
    target.mkdir(parents=True)
    for entry in source.iterdir():
        (target / entry.name).symlink_to(entry)


def _copy_times(source: Path, target: Path) -> None:
    """A lock that looks newer than what is installed would be installed again, through the links."""
    found = source.stat()
    os.utime(target, ns=(found.st_atime_ns, found.st_mtime_ns))


def _same(one: Path, other: Path) -> bool:
    return one.is_file() and other.is_file() and one.read_bytes() == other.read_bytes()


def _git(root: Path, *words: str) -> int:
    return subprocess.run(["git", *words], cwd=root, stdout=2, check=False).returncode
