"""What the API shows: machines in the shape of Fly's Machines API, the rest in the fields that flyctl prints.

No secret value ever leaves through here: `digest` of a secret is the beginning of its SHA-256.
"""

import hashlib
from datetime import datetime
from typing import Any

from infra.localcloud.fly.app import AppHost
from infra.localcloud.fly.config import Check, Service
from infra.localcloud.fly.durations import format_duration
from infra.localcloud.fly.machine.runner import MachineRunner
from infra.localcloud.fly.model import Event, Machine, Release

DIGEST_LENGTH = 16
FLYCTL_VERSION = "2026.8.21-dev.1787270400"


def time_text(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def app_view(host: AppHost) -> dict[str, Any]:
    app = host.app
    return {
        "name": app.name,
        "organization": app.organization,
        "number": app.number,
        "hostname": app.hostname,
        "deployed": app.deployed,
        "status": app.status,
        "version": app.version,
        "created_at": time_text(app.created_at),
        "latest_release": release_view(app.releases[-1]) if app.releases else None,
        "machines": [machine_view(runner) for runner in host.machines.values()],
    }


def machine_view(runner: MachineRunner) -> dict[str, Any]:
    record = runner.record
    image = {"registry": "registry.fly.io", "repository": record.image.repository}
    return {
        "id": record.id,
        "name": record.name,
        "state": record.state,
        "region": record.region,
        "image_ref": {
            **image,
            **({"tag": record.image.tag} if record.image.tag else {}),
            "digest": record.image.digest,
        },
        "instance_id": record.instance_id,
        "version": record.instance_id,
        "private_ip": "127.0.0.1",
        "created_at": time_text(record.created_at),
        "updated_at": time_text(record.updated_at),
        "config": _machine_config(record),
        "events": [_event(event) for event in record.events],
        "checks": _checks(runner),
        "host_status": "ok",
        "cordoned": record.cordoned,
    }


def release_view(release: Release) -> dict[str, Any]:
    return {
        "id": release.id,
        "version": release.version,
        "status": release.status,
        "strategy": release.strategy,
        "image_ref": str(release.image),
        "created_at": time_text(release.created_at),
    }


def secret_views(host: AppHost) -> list[dict[str, str]]:
    deployed = host.secrets.deployed
    return [
        {
            "name": name,
            "digest": hashlib.sha256(value.encode()).hexdigest()[:DIGEST_LENGTH],
            "status": "Deployed" if deployed.get(name) == value else "Staged",
        }
        for name, value in sorted(host.secrets.staged.items())
    ]


def _machine_config(record: Machine) -> dict[str, Any]:
    config = record.config
    return {
        "env": {"FLY_PROCESS_GROUP": "app", **config.env, "PRIMARY_REGION": config.primary_region},
        "init": {},
        "guest": config.guest.model_dump(),
        "metadata": {
            **record.metadata,
            "fly_flyctl_version": FLYCTL_VERSION,
            "fly_platform_version": "v2",
            "fly_process_group": "app",
            "fly_release_id": record.release_id,
            "fly_release_version": str(record.release_version),
        },
        "services": [_service(config.service)] if config.service else [],
        "image": str(record.image),
    }


def _service(service: Service) -> dict[str, Any]:
    concurrency = service.concurrency.model_dump(exclude_none=True)
    return {
        "protocol": "tcp",
        "internal_port": service.internal_port,
        "autostop": service.auto_stop != "off",
        "autostart": service.auto_start,
        "min_machines_running": service.min_machines_running,
        "ports": [
            {"port": 80, "handlers": ["http"], **({"force_https": True} if service.force_https else {})},
            {"port": 443, "handlers": ["http", "tls"]},
        ],
        "checks": [_check(check) for check in service.checks],
        "concurrency": concurrency,
        "force_instance_key": None,
    }


def _check(check: Check) -> dict[str, Any]:
    return {
        "type": "http",
        "interval": format_duration(check.interval_s),
        "timeout": format_duration(check.timeout_s),
        "grace_period": format_duration(check.grace_period_s),
        "method": check.method,
        "path": check.path,
    }


def _checks(runner: MachineRunner) -> list[dict[str, Any]]:
    service, health = runner.record.config.service, runner.health
    if health is not None and runner.running:
        return [
            {
                "name": state.name,
                "status": state.status,
                "output": state.output,
                "updated_at": time_text(state.updated_at),
            }
            for state in health.checks
        ]
    port, count = (service.internal_port, len(service.checks)) if service else (0, 0)
    return [
        {
            "name": f"servicecheck-{index:02}-http-{port}",
            "status": "critical",
            "output": "connect: connection refused",
            "updated_at": time_text(runner.record.updated_at),
        }
        for index in range(count)
    ]


def _event(event: Event) -> dict[str, Any]:
    shown: dict[str, Any] = {"type": event.type, "status": event.status}
    if event.type == "exit":
        shown["request"] = {
            "exit_event": {
                "requested_stop": event.requested_stop,
                "exit_code": event.exit_code,
                "exited_at": time_text(event.at),
            }
        }
    return {**shown, "source": event.source, "timestamp": int(event.at.timestamp() * 1000)}
