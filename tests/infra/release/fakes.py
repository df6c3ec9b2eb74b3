"""An engine that remembers what it was asked, and a small repository with two commits."""

import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra.release.deployed import Deployed
from infra.release.engine import Update
from infra.release.errors import ReleaseError

IMAGE = "registry.fly.io/app@sha256:" + "a" * 64


@dataclass
class FakeEngine:
    """`seen`: what the tree and the stack file held at the time of `up`."""

    updates: list[Update] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)
    fails: bool = False
    folder: Path = Path()
    seen: dict[str, str] = field(default_factory=dict)

    def at(self, folder: Path) -> "FakeEngine":
        self.folder = folder
        return self

    def history(self, stack: str) -> list[Update]:
        return self.updates

    def outputs(self, stack: str, *, show_secrets: bool = False) -> dict[str, Any]:
        return {**self.values, "show_secrets": show_secrets}

    def set_config(self, stack: str, settings: Path, key: str, value: str) -> None:
        kept = [line for line in settings.read_text().splitlines() if not line.startswith(f"  {key}: ")]
        settings.write_text("\n".join([*kept, f"  {key}: {value}", ""]))

    def up(self, stack: str, settings: Path) -> None:
        if self.fails:
            raise ReleaseError("pulumi up of staging ended with exit status 255")
        self.seen = {
            "settings": settings.read_text(),
            "program": (self.folder / "program.txt").read_text(),
            "changes": git(self.folder, "status", "--porcelain"),
            "head": git(self.folder, "rev-parse", "HEAD").strip(),
        }


def git(folder: Path, *words: str) -> str:
    who = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    return subprocess.run(["git", *who, *words], cwd=folder, capture_output=True, text=True, check=True).stdout


def repository(root: Path) -> list[str]:
    """Two commits of a program and a stack file, with what is installed beside them; answers the commits."""
    (root / "requirements").mkdir(parents=True)
    (root / "app/web").mkdir(parents=True)
    (root / ".gitignore").write_text(".venv/\nnode_modules/\n")
    (root / "requirements/dev.lock").write_text("uv==1\n")
    (root / "app/web/package-lock.json").write_text("{}\n")
    for name in (".venv/bin", "app/web/node_modules/vite"):
        (root / name).mkdir(parents=True)
        (root / name / "installed").write_text("yes")
    git(root, "init", "--quiet")
    commits = []
    for text in ("A", "B"):
        (root / "program.txt").write_text(text)
        stale = "e" * 64  # of a site that some release before had
        settings = f"config:\n  reel:fromCommit: {text}\n  reel:siteDigest: {stale}\n"
        (root / "Pulumi.staging.yaml").write_text(settings)
        git(root, "add", "--all")
        git(root, "commit", "--quiet", "--message", text)
        commits.append(git(root, "rev-parse", "HEAD").strip())
    return commits


def release(commit: str, **changes: Any) -> Deployed:
    return Deployed(**{"commit": commit, "dirty": False, "image": IMAGE, "site_digest": "d" * 64, **changes})
