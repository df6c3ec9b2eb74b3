"""All apps of this cloud: create, find, destroy."""

import asyncio
import re

from infra.localcloud.fly.app import AppHost, Resources
from infra.localcloud.fly.errors import AppNotFoundError, InvalidError
from infra.localcloud.fly.model import App, Secrets, now

ORGANIZATION = "personal"
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,61}[a-z0-9]|[a-z0-9]")


class Registry:
    """Apps by name, in the order of their creation."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._hosts: dict[str, AppHost] = {}

    def load(self) -> None:
        loaded = sorted(self._resources.store.load(), key=lambda pair: pair[0].created_at)
        self._hosts = {app.name: AppHost(self._resources, app, secrets) for app, secrets in loaded}

    async def start(self) -> None:
        """Starts the machines that were started when the stand-in last ran."""
        for host in self._hosts.values():
            await host.start()

    async def stop(self) -> None:
        await asyncio.gather(*(host.stop() for host in self._hosts.values()))

    def all(self) -> list[AppHost]:
        return list(self._hosts.values())

    def find(self, name: str) -> AppHost | None:
        return self._hosts.get(name)

    def get(self, name: str) -> AppHost:
        """Raises AppNotFoundError."""
        host = self._hosts.get(name)
        if host is None:
            raise AppNotFoundError(name)
        return host

    def create(self, name: str, organization: str) -> AppHost:
        """Raises InvalidError in the words of Fly's API."""
        if organization != ORGANIZATION:
            raise InvalidError(f"organization {organization} not found")
        if _NAME.fullmatch(name) is None:
            raise InvalidError("Validation failed: Name may only contain numbers, lowercase letters and dashes")
        if name in self._hosts:
            raise InvalidError("Validation failed: Name has already been taken")
        number = 70_001 + max((host.app.number - 70_000 for host in self._hosts.values()), default=0)
        app = App(name=name, organization=organization, number=number, created_at=now())
        host = AppHost(self._resources, app, Secrets())
        host.save()
        self._hosts[name] = host
        return host

    async def destroy(self, name: str) -> None:
        """With its machines, secrets and certificates; images and the log stay."""
        host = self.get(name)
        async with host.lease:
            for runner in list(host.machines.values()):
                await host.destroy_machine(runner)
            del self._hosts[name]
            self._resources.store.delete(name)
            host.log.close()
