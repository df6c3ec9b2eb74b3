"""Builds a Vite project, in a folder of its own, so that two deployments and a dev server never share one."""

from pathlib import Path

from infra.deploy.pages import packages
from infra.deploy.process import log, run

# All that the build sees of the environment: the site depends on its sources alone, and a pull request's build scripts
# get no credentials.
INHERITED = frozenset({"HOME", "LANG", "TMPDIR"})


def build(project: Path, target: Path) -> Path:
    """The built site, in `target`; the packages have to be installed."""
    log(f"building {project.name}")
    command = [str(packages.NPM), "run", "build", "--", "--outDir", str(target), "--emptyOutDir"]
    environment = {**packages.path(), "NODE_ENV": "production", "CI": "1"}
    run(command, cwd=project, env=environment, inherit=INHERITED)
    return target
