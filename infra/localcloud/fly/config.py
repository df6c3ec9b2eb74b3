"""What a fly.toml means for machines, checks and the proxy: one typed object, persisted with each machine and release.

The command has already refused what flyctl refuses (`flyctl/document.py`); sections not named here change nothing.
"""

import re
import shlex
import signal
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from infra.localcloud.fly.durations import parse_duration
from infra.localcloud.fly.errors import InvalidError

DEFAULT_SOFT_LIMIT = 20
DEFAULT_KILL_SIGNAL = "SIGINT"
DEFAULT_KILL_TIMEOUT_S = 5.0

_SIZES = {"shared-cpu": 256, "performance": 2048}
_SIZE = re.compile(r"(shared-cpu|performance)-(\d+)x")
_MEMORY = re.compile(r"(\d+)\s*(mb|gb|mib|gib)?", re.IGNORECASE)


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class Check(_Frozen):
    method: str = "GET"
    path: str = "/"
    headers: dict[str, str] = {}
    interval_s: float = 15.0
    timeout_s: float = 2.0
    grace_period_s: float = 5.0


class MachineCheck(_Frozen):
    """A command that must end with 0 before a deploy goes on; `image` is not pulled: it runs in the release's own."""

    command: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()

    @property
    def argv(self) -> tuple[str, ...]:
        return self.entrypoint + self.command


class Concurrency(_Frozen):
    type: Literal["requests", "connections"] = "connections"
    soft_limit: int = DEFAULT_SOFT_LIMIT
    hard_limit: int | None = None


class Service(_Frozen):
    internal_port: int = 8080
    force_https: bool = False
    auto_stop: Literal["off", "stop", "suspend"] = "off"
    auto_start: bool = True
    min_machines_running: int = 0
    concurrency: Concurrency = Concurrency()
    checks: tuple[Check, ...] = ()
    machine_checks: tuple[MachineCheck, ...] = ()


class Guest(_Frozen):
    cpu_kind: Literal["shared", "performance"] = "shared"
    cpus: int = 1
    memory_mb: int = 256

    @property
    def size(self) -> str:
        return f"{'shared-cpu' if self.cpu_kind == 'shared' else 'performance'}-{self.cpus}x"


class Config(_Frozen):
    """The part of a fly.toml that the stand-in acts on."""

    primary_region: str = "lax"
    kill_signal: str = DEFAULT_KILL_SIGNAL
    kill_timeout_s: float = DEFAULT_KILL_TIMEOUT_S
    strategy: str | None = None
    max_unavailable: float | None = None
    release_command: str | None = None
    release_command_timeout_s: float | None = None
    env: dict[str, str] = {}
    service: Service | None = None
    guest: Guest = Guest()

    @classmethod
    def read(cls, document: dict[str, Any]) -> Self:
        """From the parsed TOML; raises InvalidError for a value that Fly does not know."""
        try:
            return cls._read(document)
        except ValidationError as error:
            first = error.errors()[0]
            raise InvalidError(
                f"invalid {'.'.join(map(str, first['loc']))} '{first['input']}': {first['msg']}"
            ) from error

    @classmethod
    def _read(cls, document: dict[str, Any]) -> Self:
        service = document.get("http_service")
        deploy, limit = document.get("deploy", {}), "release_command_timeout"
        kill_signal = document.get("kill_signal", DEFAULT_KILL_SIGNAL)
        if kill_signal not in signal.Signals.__members__:
            raise InvalidError(f"invalid kill_signal '{kill_signal}': not a signal of this system, such as SIGTERM")
        return cls(
            primary_region=document.get("primary_region", "lax"),
            kill_signal=kill_signal,
            kill_timeout_s=_seconds(document.get("kill_timeout", DEFAULT_KILL_TIMEOUT_S)),
            strategy=deploy.get("strategy"),
            max_unavailable=deploy.get("max_unavailable"),
            release_command=deploy.get("release_command"),
            release_command_timeout_s=_seconds(deploy[limit]) if limit in deploy else None,
            env={name: _text(value) for name, value in document.get("env", {}).items()},
            service=None if service is None else _service(service),
            guest=_guest(document.get("vm", [])),
        )


def _service(table: dict[str, Any]) -> Service:
    stop = table.get("auto_stop_machines", "off")
    if isinstance(stop, bool):
        stop = "stop" if stop else "off"
    concurrency = table.get("concurrency", {})
    return Service(
        internal_port=table.get("internal_port", 8080),
        force_https=table.get("force_https", False),
        auto_stop=stop,
        auto_start=table.get("auto_start_machines", True),
        min_machines_running=table.get("min_machines_running", 0),
        concurrency=Concurrency(**concurrency),
        checks=tuple(_check(check) for check in table.get("checks", [])),
        machine_checks=tuple(MachineCheck(**_argv(check)) for check in table.get("machine_checks", [])),
    )


def _argv(table: dict[str, Any]) -> dict[str, Any]:
    """Each part may be a list or, as in a Dockerfile's shell form, one text."""
    parts = {name: table[name] for name in ("command", "entrypoint") if name in table}
    return {name: shlex.split(part) if isinstance(part, str) else part for name, part in parts.items()}


def _check(table: dict[str, Any]) -> Check:
    values = {name: table[name] for name in ("method", "path", "headers") if name in table}
    times = {f"{name}_s": _seconds(table[name]) for name in ("interval", "timeout", "grace_period") if name in table}
    return Check.model_validate({**values, **times})


def named_guest(size: str, memory_mb: int | None = None) -> Guest:
    """Raises InvalidError for a size that Fly does not name."""
    table: dict[str, Any] = {"size": size} if memory_mb is None else {"size": size, "memory_mb": memory_mb}
    return _guest([table])


def _guest(tables: list[dict[str, Any]]) -> Guest:
    table = tables[0] if tables else {}
    family, cpus = "shared-cpu", 1
    if "size" in table:
        size = _SIZE.fullmatch(table["size"])
        if size is None:
            raise InvalidError(f"invalid machine size requested, '{table['size']}'")
        family, cpus = size[1], int(size[2])
    kind = table.get("cpu_kind", "shared" if family == "shared-cpu" else "performance")
    cpus = table.get("cpus", cpus)
    family = "shared-cpu" if kind == "shared" else "performance"
    memory_mb = table.get("memory_mb", _SIZES[family] * cpus)
    if "memory" in table:
        memory_mb = _memory_mb(table["memory"])
    return Guest(cpu_kind=kind, cpus=cpus, memory_mb=memory_mb)


def _memory_mb(value: str | int) -> int:
    memory = _MEMORY.fullmatch(str(value).strip())
    if memory is None:
        raise InvalidError(f"invalid size: invalid size: '{value}'")
    return int(memory[1]) * (1024 if (memory[2] or "mb").lower().startswith("g") else 1)


def _seconds(value: str | float) -> float:
    return parse_duration(value) if isinstance(value, str) else float(value)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
