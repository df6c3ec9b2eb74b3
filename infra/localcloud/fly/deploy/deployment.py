"""One deploy from image to final release status, and what holds two deploys apart."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from infra.localcloud.fly.addresses import SHARED_IPV4, first_addresses
from infra.localcloud.fly.app import AppHost
from infra.localcloud.fly.config import Config
from infra.localcloud.fly.deploy.bluegreen import replace_all
from infra.localcloud.fly.deploy.canary import try_canary
from infra.localcloud.fly.deploy.oneoff import run_release_command
from infra.localcloud.fly.deploy.report import Report
from infra.localcloud.fly.deploy.request import DEFAULT_MAX_UNAVAILABLE, STRATEGIES, BuildRequest, DeployRequest
from infra.localcloud.fly.deploy.rollout import Rollout
from infra.localcloud.fly.durations import format_duration
from infra.localcloud.fly.errors import BusyError, InvalidError, NotFoundError
from infra.localcloud.fly.ids import EMAIL, new_release_id
from infra.localcloud.fly.images.store import Source
from infra.localcloud.fly.machine.assignment import Assignment
from infra.localcloud.fly.model import ImageReference, Release, now
from infra.localcloud.fly.views import time_text

LEASE = timedelta(seconds=13)


@dataclass(frozen=True)
class Deployment:
    """`api_url` appears in errors, as the Machines API's address does in flyctl's."""

    host: AppHost
    request: DeployRequest
    report: Report
    api_url: str

    async def run(self) -> Release:
        """Raises DeployFailedError, InvalidError or BusyError; cancelled, it leaves an interrupted release."""
        host, report = self.host, self.report
        report.err("==> Building image")
        image = await self._image()
        report.out(f"\nWatch your deployment at https://fly.io/apps/{host.name}/monitoring\n")
        self._refuse_unknown_strategy()
        timeout = format_duration(self.request.wait_timeout_s)
        report.out(f"INFO Using wait timeout: {timeout} lease timeout: 13s delay between lease refreshes: 4s\n")
        config = self._config()
        async with self._lease():
            return await self._release(image, config, self.request.strategy or config.strategy or "rolling")

    async def again(self) -> Release:
        """The last release's image and configuration, with the secrets as they are now."""
        if not self.host.app.releases:
            raise InvalidError(f"app {self.host.name} has no release to deploy again")
        last = self.host.app.releases[-1]
        async with self._lease():
            return await self._release(last.image, last.config, last.strategy)

    async def _image(self) -> ImageReference:
        reference, build = self.request.image, self.request.build
        if reference is not None:
            return self._find(reference)
        if build is None:
            raise InvalidError("the request names neither an image nor a build")
        try:
            return await self._build(build)
        except (InvalidError, OSError) as error:
            raise InvalidError(f"failed to fetch an image or build from source: error building: {error}") from error

    def _find(self, reference: str) -> ImageReference:
        self.report.err(f"Searching for image '{reference}' remotely...")
        try:
            image = self.host.images.resolve(reference)
        except NotFoundError as error:
            self.report.err("==> Building image")
            self.report.err(f"Searching for image '{reference}' remotely...")
            raise InvalidError(f"failed to fetch an image or build from source: {error.message}") from error
        self.report.err(f"image found: img_{image.digest.removeprefix('sha256:')[:16]}")
        return image

    async def _build(self, wanted: BuildRequest) -> ImageReference:
        source = Source(
            context=wanted.context,
            dockerfile=wanted.dockerfile,
            ignorefile=wanted.ignorefile,
            arguments=wanted.arguments,
            target=wanted.target,
            label=wanted.label,
        )
        self.report.err("==> Building image with the loopback builder")
        build = await asyncio.to_thread(self.host.images.build, self.host.name, source)
        for instruction in build.skipped:
            self.report.err(f"not run: {instruction}")
        self.report.err("--> Building image done")
        self.report.err(f"image: registry.fly.io/{build.reference.repository}:{build.reference.tag}")
        self.report.err(f"image size: {build.image.size_bytes / 1e6:.1f} MB")
        return build.reference

    def _refuse_unknown_strategy(self) -> None:
        strategy = self.request.strategy
        if strategy is not None and strategy not in STRATEGIES:
            self.report.err(f"Validating {self.request.config_name}")
            self.report.err(unsupported_strategy(strategy))
            self.report.err("   ✘invalid app configuration")
            raise InvalidError("App configuration is not valid")

    def _config(self) -> Config:
        document = self.request.config or {}
        document = {**document, "env": {**document.get("env", {}), **self.request.env}}
        try:
            return Config.read(document)
        except InvalidError as error:
            machine = next(iter(self.host.machines), None)
            where = f"failed to update machine configuration for {machine} [app]: " if machine else ""
            raise InvalidError(f"{where}{error.message}") from error

    @asynccontextmanager
    async def _lease(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self.request.wait_timeout_s):
                await self.host.lease.acquire()
        except TimeoutError:
            machine = next(iter(self.host.machines), "?")
            held = f"lease currently held by {EMAIL}, expires at {time_text(now() + LEASE)}"
            reason = f"failed to get lease on VM {machine}: failed_precondition: {held}"
            self.report.out(f"WARN failed to acquire lease: {reason}\n")
            raise BusyError(reason) from None
        try:
            yield
        finally:
            self.host.lease.release()

    async def _release(self, image: ImageReference, config: Config, strategy: str) -> Release:
        host = self.host
        if not host.machines:
            self._announce_launch(config)
        release = Release(
            id=new_release_id(),
            version=host.app.version + 1,
            status="running",
            strategy=strategy,
            image=image,
            config=config,
            created_at=now(),
        )
        host.add_release(release)
        host.deploy_secrets()
        try:
            await self._roll_out(Assignment(image, config, release), strategy)
        except asyncio.CancelledError:
            release.status = "interrupted"
            raise
        except BaseException:
            release.status = "failed"
            raise
        else:
            release.status = "complete"
            host.app.deployed = True
            return release
        finally:
            host.save()

    def _announce_launch(self, config: Config) -> None:
        host, report = self.host, self.report
        if not host.app.addresses:
            host.app.addresses = first_addresses(host.app)
            report.out(f"Provisioning ips for {host.name}")
            report.out(f"  Dedicated ipv6: {host.app.addresses[0].address}")
            report.out(f"  Shared ipv4: {SHARED_IPV4}")
            report.out("  Add a dedicated ipv4 with: fly ips allocate-v4\n")
        count = self._first_count(config)
        report.out(f'This deployment will:\n * create {count} "app" machine{"s" if count > 1 else ""}\n')

    def _first_count(self, config: Config) -> int:
        return 2 if self.request.ha and config.service else 1

    async def _roll_out(self, assignment: Assignment, strategy: str) -> None:
        host, report, config = self.host, self.report, assignment.config
        rollout = Rollout(
            host=host,
            assignment=assignment,
            report=report,
            wait_timeout_s=self.request.wait_timeout_s,
            api_url=self.api_url,
            checked=strategy != "immediate" and not self.request.detach,
            smoke=self.request.smoke_checks,
            max_unavailable=_first(self.request.max_unavailable, config.max_unavailable, DEFAULT_MAX_UNAVAILABLE),
        )
        if not self.request.skip_release_command:
            await run_release_command(host, assignment, report, self.request.release_command_timeout_s)
        if not host.machines:
            await rollout.launch(self._first_count(config))
            if config.service and config.service.auto_stop != "off":
                note = f'auto_stop_machines = "{config.service.auto_stop}"\' that will be stopped when idling'
                report.out(f"\n\nNOTE: The machines for [app] have services with '{note}\n")
            return
        if strategy == "canary":
            await try_canary(rollout)
        report.out(f"Updating existing machines in '{host.name}' with {strategy} strategy")
        if strategy == "bluegreen":
            await replace_all(rollout)
        else:
            await rollout.update_all()


def _first(*values: float | None) -> float:
    """A flag wins over fly.toml, which wins over the default."""
    return next(value for value in values if value is not None)


def unsupported_strategy(name: str) -> str:
    known = ", ".join(STRATEGIES)
    return f"unsupported deployment strategy '{name}'; Apps v2 supports the following strategies: {known}"
