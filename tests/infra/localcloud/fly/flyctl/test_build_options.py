"""Where a deploy takes its context, Dockerfile and ignore file from, and how an image comes back by its reference."""

from pathlib import Path

import httpx
import pytest

from infra.localcloud.fly import Fly
from tests.infra.localcloud.fly.conftest import APP, MODULE_LOOP, Flyctl

pytestmark = MODULE_LOOP


@pytest.fixture
def apart(flyctl: Flyctl, tmp_path: Path) -> Path:
    """Configuration, Dockerfile and ignore file live outside of the context."""
    folder = tmp_path / "apart"
    folder.mkdir()
    for name in ("Dockerfile", "fly.toml"):
        (flyctl.folder / name).rename(folder / name)
    (flyctl.folder / ".dockerignore").rename(folder / "ignore")
    return folder


def without_build_section(config: Path) -> None:
    config.write_text(config.read_text().replace('[build]\ndockerfile = "Dockerfile"\n', ""))


async def test_files_named_by_flags(flyctl: Flyctl, app: str, apart: Path, front: httpx.AsyncClient) -> None:
    without_build_section(apart / "fly.toml")
    result = await flyctl(
        *("deploy", str(flyctl.folder), "-a", APP, "--config", str(apart / "fly.toml")),
        *("--dockerfile", str(apart / "Dockerfile"), "--ignorefile", str(apart / "ignore")),
        *("--ha=false", "--yes", "--remote-only", "--strategy", "rolling", "--wait-timeout", "30s"),
        *("--build-arg", "GIT_SHA=abc", "--image-label", "v1", "--dns-checks=false"),
    )
    assert result.exit == 0, result.err
    assert '"image_ref":"registry.fly.io/orbit-api:v1@sha256:' in result.out
    assert (await front.get("/environment")).json()["GIT_SHA"] == "abc"


async def test_files_named_by_the_configuration_are_relative_to_it_and_win(
    flyctl: Flyctl, app: str, apart: Path
) -> None:
    config = apart / "fly.toml"
    config.write_text(config.read_text().replace("[build]", '[build]\nignorefile = "ignore"'))
    result = await flyctl("deploy", str(flyctl.folder), "-c", str(config), "--ha=false", "--dockerfile", "not-there")
    assert result.exit == 0, result.err


async def test_a_dockerfile_that_is_not_there_is_named(flyctl: Flyctl, app: str, apart: Path) -> None:
    without_build_section(apart / "fly.toml")
    none = await flyctl("deploy", str(flyctl.folder), "-a", APP, "-c", str(apart / "fly.toml"))
    assert (none.exit, "does not have a Dockerfile" in none.err) == (1, True)
    wrong = await flyctl(
        *("deploy", str(flyctl.folder), "-a", APP, "-c", str(apart / "fly.toml"), "--dockerfile", "gone")
    )
    assert (wrong.exit, f"dockerfile '{flyctl.folder / 'gone'}' not found" in wrong.err) == (1, True)


async def test_a_broken_build_fails_before_there_is_a_release(flyctl: Flyctl, app: str) -> None:
    (flyctl.folder / ".dockerignore").write_text("service\n")
    result = await flyctl.deploy()
    assert result.exit == 1
    assert 'failed to compute cache key: "/service" not found' in result.err
    assert await flyctl.json("releases") == []


async def test_a_rollback_deploys_an_earlier_image_by_its_reference(
    fly: Fly, flyctl: Flyctl, deployed: str, front: httpx.AsyncClient
) -> None:
    (flyctl.folder / "service" / "version.txt").write_text("2")
    assert (await flyctl.deploy()).exit == 0
    assert (await front.get("/")).json()["version"] == "2"
    first = (await flyctl.json("releases"))[1]["ImageRef"]
    assert first.count("@sha256:") == 1
    result = await flyctl.deploy("--image", first)
    assert result.exit == 0, result.err
    assert (await front.get("/")).json()["version"] == "1"
    assert fly.app(APP).app.version == 3


@pytest.mark.parametrize(("wait", "shown"), [("90", "1m30s"), ("2m", "2m0s"), ("none", "720h0m0s")])
async def test_wait_timeouts_are_seconds_durations_or_none(
    flyctl: Flyctl, deployed: str, wait: str, shown: str
) -> None:
    result = await flyctl.deploy("--wait-timeout", wait, "--detach")
    assert f"Using wait timeout: {shown} " in result.out


@pytest.mark.parametrize(
    ("flags", "reason"),
    [
        (["--wait-timeout", "soon"], "invalid duration value soon used for --wait-timeout flag"),
        (["--strategy", "sideways"], "unsupported deployment strategy 'sideways'"),
        (["--env", "NOVALUE"], "'NOVALUE': must be in the format NAME=VALUE"),
    ],
)
async def test_nonsense_is_named(flyctl: Flyctl, app: str, flags: list[str], reason: str) -> None:
    result = await flyctl.deploy(*flags)
    assert (result.exit, reason in result.err) == (1, True)
