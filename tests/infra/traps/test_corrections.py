"""What older descriptions of the stack get wrong cannot be written here."""

import json
import tomllib
from typing import Any

import pytest

from infra.config import ConfigError, StackConfig
from infra.fly_config import environment, fly_config, render
from infra.sources import ROOT
from tests.infra.test_config import staging
from tests.infra.test_stack import STACKS, inputs, names


def config(**changes: Any) -> StackConfig:
    return StackConfig.parse("staging", staging(**changes))


def keys(document: dict[str, Any]) -> set[str]:
    """All keys at all depths."""
    found = set(document)
    for value in document.values():
        for part in value if isinstance(value, list) else [value]:
            found |= keys(part) if isinstance(part, dict) else set()
    return found


def test_the_number_of_machines_is_no_part_of_the_file() -> None:
    written = keys(tomllib.loads(render(fly_config(config(machines=7)))))
    assert not {key for key in written if "max_machines" in key or key in ("count", "machines")}
    assert render(fly_config(config(machines=7))) == render(fly_config(config(machines=1)))


@pytest.mark.parametrize("change", [{"vmCpuKind": "dedicated"}, {"vmCpuKind": "performance", "vmMemoryMb": 1024}])
def test_a_kind_of_cpu_that_fly_does_not_have_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="reel:vm"):
        config(**change)


def test_the_backend_is_told_its_store_by_one_spelling() -> None:
    told = {name for name in environment(config()) if name.startswith("R2_")}
    assert told == {"R2_ENABLED", "R2_ENDPOINT", "R2_BUCKET"}


def test_the_name_of_the_pages_project_is_typed_once() -> None:
    default = StackConfig.model_fields["pages_project"].default
    code = [path for folder in ("infra", "app", "gpu") for path in (ROOT / folder).rglob("*.py")]
    assert [path.name for path in code if f'"{default}"' in path.read_text()] == ["config.py"]


@pytest.mark.parametrize("stack", STACKS)
def test_nothing_is_left_out_of_a_stack_file_that_the_backend_needs(stack: str) -> None:
    told = tomllib.loads(_deployed_config(stack))["env"]
    assert told["APP_ENV"]
    assert told["CORS_ORIGINS"]


def _deployed_config(stack: str) -> str:
    assert "backend-deploy" in names(stack, "Command")
    return str(json.loads(inputs(stack, "backend-deploy")["stdin"])["config"])


@pytest.mark.parametrize("folder", ["infra/hosts", "infra/digitalocean", "infra/kubernetes"])
def test_there_is_no_other_host_yet(folder: str) -> None:
    """Whoever brings one replaces this: a test of its sizes (DigitalOcean) or of `metrics[]` (Kubernetes)."""
    assert not (ROOT / folder).exists()


def test_there_is_no_celery_yet() -> None:
    """Whoever brings it replaces this: its results are not awaitable, and on Redis 0 is the highest priority."""
    assert "celery" not in (ROOT / "requirements/dev.lock").read_text()
