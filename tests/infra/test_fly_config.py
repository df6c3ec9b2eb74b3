"""fly.toml is what the stack files say."""

import tomllib

import pytest
import yaml

from infra.config import StackConfig
from infra.fly_config import COMMITTED_STACKS, committed, environment, fly_config, render
from infra.sources import ROOT

TOKENS = {"reel:modalTokenId": "ak-1", "reel:modalTokenSecret": "as-1"}


def config_of(stack: str) -> StackConfig:
    values = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())["config"]
    return StackConfig.parse(stack, {**values, **TOKENS})


@pytest.mark.parametrize("stack", COMMITTED_STACKS)
def test_committed_files_are_what_the_stacks_say(stack: str) -> None:
    file = (ROOT / f"app/fly.{stack}.toml").read_text()
    assert file == committed(stack), "run `python -m infra.fly_config`"
    build = {"build": {"dockerfile": "Dockerfile", "ignorefile": "../.dockerignore"}}
    assert tomllib.loads(file) == tomllib.loads(render(fly_config(config_of(stack)))) | build


def test_requirements_of_staging_and_production() -> None:
    staging, production = (tomllib.loads(committed(stack)) for stack in COMMITTED_STACKS)
    assert (staging["primary_region"], production["primary_region"]) == ("lax", "ord")
    assert staging["vm"] == [{"cpu_kind": "shared", "cpus": 1, "memory_mb": 512}]
    assert production["vm"] == [{"cpu_kind": "shared", "cpus": 1, "memory_mb": 1024}]
    assert staging["http_service"]["min_machines_running"] == 0
    assert production["http_service"]["min_machines_running"] == 1
    for toml in (staging, production):
        service = toml["http_service"]
        assert service["concurrency"] == {"type": "requests", "soft_limit": 200, "hard_limit": 250}
        assert service["checks"][0]["path"] == "/api/health"
        assert service["auto_stop_machines"] == "stop"
        assert service["force_https"] is True
        assert toml["kill_signal"] == "SIGTERM"


@pytest.mark.parametrize("stack", ["local", "staging", "production"])
def test_environment_is_derived_and_holds_no_secret(stack: str) -> None:
    config = config_of(stack)
    values = environment(config)
    assert values["APP_ENV"] == config.environment
    previews = ",https://*.reel-ballers-app.pages.dev" if stack == "staging" else ""
    assert values["CORS_ORIGINS"] == config.app_address + previews
    assert values["CLEAR_PENDING_JOBS_ON_STARTUP"] == "false"
    assert not {name for name in values if "SECRET" in name or "TOKEN" in name or "KEY" in name}
    assert ("MODAL_SERVER_URL" in values) == (stack == "local")


def test_without_functions_nothing_points_to_modal() -> None:
    config = config_of("staging").model_copy(update={"gpu_enabled": False})
    assert environment(config)["MODAL_ENABLED"] == "false"
    assert "MODAL_ENVIRONMENT" not in environment(config)
