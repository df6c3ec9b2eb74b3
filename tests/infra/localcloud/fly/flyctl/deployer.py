"""Repeats recorded deploys: with the sample's image instead of the recorded one."""

from collections.abc import Mapping

from infra.localcloud.fly import Fly
from infra.localcloud.fly.images.store import Source
from tests.infra.localcloud.fly.conftest import APP, Flyctl, Result
from tests.infra.localcloud.fly.recorded import Record, load, machine_lines, normal
from tests.infra.localcloud.fly.waiting import until

RECORDS = load()
BROKEN = {"BROKEN": "health"}
CRASHING = {"BROKEN": "crash"}
TAG = "build-1"


class Deployer:
    """Runs in the sample's folder; `env` may break the release, `wait` is its `--wait-timeout`."""

    def __init__(self, fly: Fly, flyctl: Flyctl) -> None:
        self.flyctl = flyctl
        folder = flyctl.folder
        built = fly.app(APP).images.build(APP, Source(folder, folder / "Dockerfile", label=TAG))
        self._image = f"registry.fly.io/{APP}@{built.image.digest}"

    async def __call__(
        self, name: str, env: Mapping[str, str] | None = None, wait: str = "300", app: str = APP
    ) -> Result:
        values = [part for key, value in (env or {}).items() for part in ("--env", f"{key}={value}")]
        emit = RECORDS[name].env.get("FLY_EMIT_RELEASE_JSON", "1")
        return await self.flyctl(*self.argv(name, wait, app), *values, env={"FLY_EMIT_RELEASE_JSON": emit})

    def argv(self, name: str, wait: str = "300", app: str = APP) -> list[str]:
        argv = list(RECORDS[name].argv[1:])
        image, timeout = argv.index("--image") + 1, argv.index("--wait-timeout") + 1
        if "@" in argv[image]:
            argv[image] = self._image
        if argv[timeout].isdigit():
            argv[timeout] = wait
        argv[argv.index("--config") + 1] = "fly.toml"
        argv[argv.index("-a") + 1] = app
        return argv

    async def states(self) -> list[tuple[str, str]]:
        """Of each machine: its state, and the release that it runs."""
        machines = await self.flyctl.json("machine", "list")
        return [(machine["state"], machine["config"]["metadata"]["fly_release_version"]) for machine in machines]

    async def scale(self, count: int) -> None:
        """As flyctl does, which waits for no check, and then until every machine's checks have passed."""
        assert (await self.flyctl("scale", "count", str(count), "--yes", "-a", APP)).exit == 0
        await until(lambda: all(runner.routable for runner in self.flyctl.fly.app(APP).machines.values()))

    async def stop_all(self) -> list[str]:
        machines = [machine["id"] for machine in await self.flyctl.json("machine", "list")]
        await self.flyctl("machine", "stop", *machines, "-a", APP)
        return machines


def assert_same(result: Result, record: Record, app: str = APP) -> None:
    """The last log lines of a broken machine follow the recorded error."""
    recorded = next(value for flag, value in zip(record.argv, record.argv[1:], strict=False) if flag == "-a")
    assert result.exit == record.exit
    assert normal(result.out) == normal(record.stdout.replace(recorded, app))
    assert normal(result.err).startswith(normal(record.stderr.replace(recorded, app)))


def assert_same_of_each_machine(result: Result, record: Record) -> None:
    assert result.exit == record.exit
    assert machine_lines(normal(result.out)) == machine_lines(normal(record.stdout))
    assert normal(result.err) == normal(record.stderr)
