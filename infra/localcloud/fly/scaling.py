"""How many machines an app has, and how large they are."""

from infra.localcloud.fly.app import AppHost
from infra.localcloud.fly.config import Guest, named_guest
from infra.localcloud.fly.errors import InvalidError
from infra.localcloud.fly.machine.assignment import Assignment
from infra.localcloud.fly.machine.runner import MachineRunner


async def scale(host: AppHost, count: int) -> tuple[list[MachineRunner], list[MachineRunner]]:
    """Makes it `count` machines; returns those created and those destroyed. Raises InvalidError without a release."""
    async with host.lease:
        runners = list(host.machines.values())
        if count > len(runners):
            if not host.app.releases:
                raise InvalidError(
                    "failed to grab app config from existing machines, error: could not create a fly.toml from any "
                    "machines :-(\nNo machines configured for this app"
                )
            assignment = _like_existing(host, runners)
            return [await host.create_machine(assignment) for _ in range(count - len(runners))], []
        surplus = sorted(runners, key=lambda runner: runner.running)[: len(runners) - count]
        for runner in surplus:
            await host.destroy_machine(runner)
        return [], surplus


def _like_existing(host: AppHost, runners: list[MachineRunner]) -> Assignment:
    """What the first machine runs, which after a failed deploy is not what the last release says."""
    last = host.app.releases[-1]
    if not runners:
        return Assignment(last.image, last.config, last)
    record = runners[0].record
    release = next((release for release in host.app.releases if release.id == record.release_id), last)
    return Assignment(record.image, record.config, release)


async def scale_vm(host: AppHost, size: str, memory_mb: int | None) -> Guest:
    """Gives every machine another size, one after the other; the next deploy with a `[[vm]]` section undoes it."""
    guest = named_guest(size, memory_mb)
    async with host.lease:
        for runner in list(host.machines.values()):
            now = _like_existing(host, [runner])
            config = now.config.model_copy(update={"guest": guest})
            await runner.update(Assignment(now.image, config, now.release))
    return guest
