"""Stops idle machines, at most one of an app at each pass.

Rule (Fly's manual, "Autostop/autostart"): of n started machines, those above what the busy ones need plus one are too
many; a single one is stopped when nothing uses it: here, no request in flight and none since the last pass.
"""

import time

from infra.localcloud.fly.app import AppHost
from infra.localcloud.fly.machine.runner import MachineRunner


async def stop_idle(host: AppHost, interval_s: float) -> MachineRunner | None:
    """Returns the machine that it stopped; whoever changes machines, as a deploy does, is not disturbed."""
    if host.lease.locked():
        return None
    runner = choose_idle(host, time.monotonic() - interval_s)
    if runner is not None:
        reason = "App has excess capacity, autostopping machine"
        host.log.write(runner.record.id, f"{reason} {runner.record.id}", provider="proxy")
        await runner.stop()
    return runner


def choose_idle(host: AppHost, idle_since: float) -> MachineRunner | None:
    started = [
        runner
        for runner in host.machines.values()
        if runner.running and runner.record.config.service and runner.record.config.service.auto_stop != "off"
    ]
    services = [runner.record.config.service for runner in started if runner.record.config.service]
    if not started or len(started) <= max(service.min_machines_running for service in services):
        return None
    busy = sum(runner.load >= service.concurrency.soft_limit for runner, service in zip(started, services, strict=True))
    idle = [runner for runner in started if runner.load == 0 and runner.served_at <= idle_since]
    excess = len(started) - (busy + 1) if len(started) > 1 else 1
    return idle[0] if excess >= 1 and idle else None
