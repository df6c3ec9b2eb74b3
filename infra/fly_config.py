"""Fly's configuration of a stack as a typed value, rendered to TOML.

`python -m infra.fly_config` writes app/fly.staging.toml and app/fly.production.toml, which are for people; a deploy
takes its configuration from the stack itself. Key names: Fly's app configuration reference.
"""

from typing import Literal

import tomli_w
from pydantic import BaseModel, ConfigDict

from infra.config import StackConfig
from infra.sources import ROOT
from infra.stack_file import config_of

PORT = 8080
COMMITTED_STACKS = ("staging", "production")


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Build(Section):
    """Paths from the file's own folder. It beats the flags of a deploy, so what a deploy gets has none."""

    dockerfile: str = "Dockerfile"
    ignorefile: str = "../.dockerignore"


class Deploy(Section):
    strategy: Literal["rolling", "canary", "bluegreen"]
    wait_timeout: str = "5m"


class Concurrency(Section):
    type: Literal["requests"] = "requests"
    soft_limit: int
    hard_limit: int


class Check(Section):
    method: str = "GET"
    path: str
    interval: str = "15s"
    timeout: str = "5s"
    grace_period: str = "20s"


class HttpService(Section):
    internal_port: int = PORT
    force_https: bool
    auto_stop_machines: Literal["off", "stop"] = "stop"
    auto_start_machines: bool = True
    min_machines_running: int
    concurrency: Concurrency
    checks: list[Check]


class Vm(Section):
    cpu_kind: Literal["shared", "performance"]
    cpus: int
    memory_mb: int


class Metrics(Section):
    port: int = PORT
    path: str = "/metrics"


class FlyConfig(Section):
    """`kill_timeout` is above the longest request and WebSocket drain; Fly's default of 5 s cuts them."""

    app: str
    primary_region: str
    kill_signal: str = "SIGTERM"
    kill_timeout: str = "30s"
    build: Build | None = None
    deploy: Deploy
    env: dict[str, str]
    http_service: HttpService
    vm: list[Vm]
    metrics: list[Metrics] = [Metrics()]


def environment(config: StackConfig) -> dict[str, str]:
    """Plain environment of the backend; its secrets are set apart. Nothing here is typed twice in a stack file."""
    values = {
        "APP_ENV": config.environment,
        # How much an error tells; an environment of another name tells as little as production.
        "ENV": config.environment if config.environment in ("development", "staging") else "production",
        "DEBUG": "false",
        "CORS_ORIGINS": ",".join(config.api_origins),
        "R2_ENABLED": "true",
        "R2_ENDPOINT": config.r2_address,
        "R2_BUCKET": config.bucket,
        "MODAL_ENABLED": str(config.gpu_enabled).lower(),
        "CLEAR_PENDING_JOBS_ON_STARTUP": "false",
        "WEB_CONCURRENCY": str(config.web_concurrency),
    }
    if config.gpu_enabled:
        values["MODAL_ENVIRONMENT"] = config.modal_environment
    if config.gpu_enabled and config.modal_url:
        values["MODAL_SERVER_URL"] = config.modal_url
    return values


def fly_config(config: StackConfig) -> FlyConfig:
    return FlyConfig(
        app=config.fly_app,
        primary_region=config.fly_region,
        deploy=Deploy(strategy=config.deploy_strategy),
        env=environment(config),
        http_service=HttpService(
            force_https=config.api_address.startswith("https"),
            min_machines_running=config.min_machines_running,
            concurrency=Concurrency(soft_limit=config.requests_soft_limit, hard_limit=config.requests_hard_limit),
            checks=[Check(path="/api/health")],
        ),
        vm=[Vm(cpu_kind=config.vm_cpu_kind, cpus=config.vm_cpus, memory_mb=config.vm_memory_mb)],
    )


def render(config: FlyConfig) -> str:
    return tomli_w.dumps(config.model_dump(mode="json", exclude_none=True))


def committed(stack: str) -> str:
    """The TOML that belongs to a stack file, header included."""
    header = f"# Written by `python -m infra.fly_config` from Pulumi.{stack}.yaml: change that file.\n"
    return header + render(fly_config(config_of(stack)).model_copy(update={"build": Build()}))


def main() -> None:
    for stack in COMMITTED_STACKS:
        (ROOT / f"app/fly.{stack}.toml").write_text(committed(stack))


if __name__ == "__main__":
    main()
