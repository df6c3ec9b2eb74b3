"""An image that one app built is deployed by another one of the organization, by its digest."""

from infra.localcloud.fly import Fly
from tests.infra.localcloud.fly.conftest import APP, MODULE_LOOP, Flyctl

pytestmark = MODULE_LOOP
OTHER = "orbit-api-production"


async def test_another_app_deploys_the_same_digest(fly: Fly, flyctl: Flyctl, deployed: str) -> None:
    digest = fly.app(APP).app.releases[-1].image.digest
    await flyctl("apps", "create", OTHER)
    (flyctl.folder / "service" / "version.txt").write_text("changed since")
    image = f"registry.fly.io/{APP}@{digest}"
    result = await flyctl.deploy("--image", image, app=OTHER)
    assert result.exit == 0, result.err
    (machine,) = fly.app(OTHER).machines.values()
    assert (machine.record.image.repository, machine.record.image.digest) == (APP, digest)
    assert str(machine.record.image) == image
    destroyed = await flyctl("apps", "destroy", APP, "--yes")
    assert destroyed.exit == 0
    assert (await flyctl.deploy("--image", image, app=OTHER)).exit == 0


async def test_a_digest_that_the_named_repository_never_had_is_not_found(
    fly: Fly, flyctl: Flyctl, deployed: str
) -> None:
    digest = fly.app(APP).app.releases[-1].image.digest
    result = await flyctl.deploy("--image", f"registry.fly.io/{OTHER}@{digest}")
    assert (result.exit, "could not find image" in result.err) == (1, True)


async def test_as_many_machines_at_a_time_as_may_be_unavailable(fly: Fly, flyctl: Flyctl, deployed: str) -> None:
    """Recorded: the first alone, then of four machines two at a time (0.33 of 4)."""
    await flyctl("scale", "count", "4", "--yes", "-a", APP)
    counts: dict[str, int] = {}
    for limit in ("0.33", "1", "3"):
        result = await flyctl.deploy("--max-unavailable", limit)
        assert result.exit == 0, result.err
        lines = result.out.splitlines()
        begun = [
            line for line in lines if line.startswith(("> [2/4] Updating", "> [3/4] Updating", "> [4/4] Updating"))
        ]
        first_end = next(i for i, line in enumerate(lines) if line.startswith(("✔ [2", "✔ [3", "✔ [4")))
        counts[limit] = len({line[:7] for line in lines[:first_end] if line in begun})
        first_alone = next(i for i, line in enumerate(lines) if line.startswith("✔ [1/4]"))
        assert not [line for line in lines[:first_alone] if line in begun]
    assert counts == {"0.33": 2, "1": 1, "3": 3}
