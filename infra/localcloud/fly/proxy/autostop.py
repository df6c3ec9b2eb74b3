"""Stops idle machines, at most one of an app at each pass.

Rule (Fly's manual, "Autostop/autostart"): of n started machines, those above what the busy ones need plus one are too
many; a single one is stopped when nothing uses it: here, no request in flight and none since the last pass. One of
several may still hold sockets below its soft limit: it gets nothing new, and they get a close frame, before it stops.
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
        runner.leave()
        await runner.stop()
    return runner


def choose_idle(host: AppHost, idle_since: float) -> MachineRunner | None:
    """The machine to stop; `idle_since` (monotonic) counts for the last one only."""
    started = [
        (runner, service)
        for runner in host.machines.values()
        if runner.running and (service := runner.record.config.service) is not None and service.auto_stop != "off"
    ]
    if not started or len(started) <= max(service.min_machines_running for _, service in started):
        return None
    spare = [runner for runner, service in started if runner.load < service.concurrency.soft_limit]
    if len(started) == 1:
        (runner,) = (runner for runner, _ in started)
        return runner if runner.load == 0 and runner.served_at <= idle_since else None
    busy = len(started) - len(spare)
    excess = len(started) - (busy + 1)
    return min(spare, key=lambda runner: runner.load) if excess >= 1 and spare else None
