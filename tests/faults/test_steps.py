"""Each step of `infra.deploy` alone, its tool failed or killed at every call, and then run again.

For every call k of a step: the service fails from k on (Modal: the token has expired); where the call changes
something, also its answer is lost once, and the step's process is killed when the call has had its effect. The tool
itself may outlive the step, as a tool does whose parent is killed.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from infra.fly_config import fly_config, render
from infra.localcloud.faults.injector import Call
from infra.rehearsal.providers.cloudflare.client import Access, Client
from tests.faults import portrait
from tests.faults.scene import Scene
from tests.faults.story import first_difference
from tests.infra.localcloud.faults.serving import plan, rule

pytestmark = pytest.mark.timeout(900)

READS = (
    "GET ",
    "MACHINE ",
    "AppList",
    "SecretList",
    "EnvironmentList",
    "AppGet",
    "AppHeartbeat",
    "MountBatched",
    "Client",
)
HOSTNAME = "api.reelballers.test"


@dataclass(frozen=True)
class Step:
    words: str
    inputs: Mapping[str, Any]


def steps(stage: Scene) -> list[Step]:
    """In the order of an `up` and a `destroy`: each finds what those before it left."""
    config = stage.clouds.config
    fly = {"app": config.fly_app, "fly_url": config.fly_url}
    modal = {"environment": config.modal_environment, "modal_url": config.modal_url}
    site = {"account_id": config.account_id, "project": config.pages_project, "branch": "main", "folder": "app/web"}
    addresses = {
        "api_url": config.api_url,
        "storage_origins": [config.r2_endpoint],
        "cloudflare_url": config.cloudflare_url,
    }
    release = {"config": render(fly_config(config)), "strategy": "rolling", "secrets_version": "1"}
    return [
        Step("fly app", {**fly, "org": "personal"}),
        Step("fly secrets", {**fly, "secrets": {"R2_ACCESS_KEY_ID": "key", "R2_SECRET_ACCESS_KEY": "secret"}}),
        Step("fly deploy", {**fly, **release, "health_url": f"{config.api_url}/api/health"}),
        Step("fly scale", {**fly, "machines": 2}),
        Step("fly certificate", {**fly, "hostname": HOSTNAME}),
        Step("modal secret", {**modal, "name": "reel-ballers-gpu", "values": {"MEDIA_HOSTS": "127.0.0.1"}}),
        Step("modal deploy", {**modal, "app": "reel-ballers"}),
        Step("pages deploy", {**site, **addresses}),
        Step("fly remove-certificate", {**fly, "hostname": HOSTNAME}),
        Step("fly destroy-app", {**fly, "org": "personal"}),
        Step("modal stop", {**modal, "app": "reel-ballers"}),
        Step("modal delete-secret", {**modal, "name": "reel-ballers-gpu", "values": {}}),
    ]


WORDS = [
    *("fly app", "fly secrets", "fly deploy", "fly scale", "fly certificate"),
    *("modal secret", "modal deploy", "pages deploy"),
    *("fly remove-certificate", "fly destroy-app", "modal stop", "modal delete-secret"),
]


@pytest.fixture(scope="module")
def before(stage: Scene, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Step]]:
    """For each step the clouds as the steps before it left them."""
    folder = tmp_path_factory.mktemp("before")
    found: dict[str, tuple[Path, Step]] = {}
    stage.reset()
    config = stage.clouds.config
    access = Access(config.cloudflare_url or "", stage.environment["CLOUDFLARE_API_TOKEN"])
    project = {"name": config.pages_project, "production_branch": "main"}
    Client().send(access, "POST", f"accounts/{config.account_id}/pages/projects", body=project)
    for step in steps(stage):
        here = folder / step.words.replace(" ", "-")
        stage.clouds.snapshot(here)
        found[step.words] = here, step
        stage.clouds.reset(here)
        status, said = run(stage, step)
        assert status == 0, said
    return found


def run(stage: Scene, step: Step) -> tuple[int, str]:
    return stage.begin_step(step.words, step.inputs).wait()


def test_no_step_is_left_out(stage: Scene) -> None:
    from infra.deploy.__main__ import STEPS

    known = {f"{tool} {step}" for tool, tool_steps in STEPS.items() for step in tool_steps}
    assert {step.words for step in steps(stage)} == {*WORDS} == known


@pytest.mark.parametrize("words", WORDS)
def test_a_step_ended_at_any_call_is_finished_by_the_next(
    stage: Scene, before: dict[str, tuple[Path, Step]], words: str
) -> None:
    snapshot, step = before[words]
    stage.clouds.reset(snapshot)
    status, said = run(stage, step)
    assert status == 0, said
    calls = list(stage.clouds.faults.calls)
    wanted = portrait.clouds(stage.clouds)
    failed: list[str] = []
    for number, call in enumerate(calls, start=1):
        for name, fault in faults_of(call, number):
            stage.clouds.reset(snapshot)
            fault(stage, step)
            stage.clouds.faults.use(plan())
            status, said = run(stage, step)
            found = portrait.clouds(stage.clouds)
            if status or found != wanted:
                failed.append(
                    f"{name} at call {number}, {call.call}: {status}\n{first_difference(wanted, found)}\n{said[-1500:]}"
                )
    assert failed == [], "\n\n".join(failed)


Fault = Callable[[Scene, Step], None]


def faults_of(call: Call, number: int) -> Iterator[tuple[str, Fault]]:
    def down(stage: Scene, step: Step) -> None:
        # Modal's client repeats what is unavailable for seconds; it does not repeat what its token may not do.
        fault = "expired_token" if call.service == "modal" else "server_error"
        stage.clouds.faults.use(plan(rule("*", "*", fault, nth=number, times=0)))
        status, said = run(stage, step)
        assert status == 1, said

    def lost(stage: Scene, step: Step) -> None:
        """A tool that repeats it survives."""
        stage.clouds.faults.use(plan(rule("*", "*", "lost_response", nth=number)))
        run(stage, step)
        assert any(made.fault for made in stage.clouds.faults.calls)

    def killed(stage: Scene, step: Step) -> None:
        made = stage.clouds.faults
        command = stage.begin_step(step.words, step.inputs)

        def moment(handled: Call) -> None:
            if handled.number == number:
                command.kill()

        made.handled = moment
        status, said = command.wait()
        made.handled = lambda _: None
        assert status == 137, said

    yield "down", down
    if not call.call.startswith(READS):
        yield "answer lost", lost
        yield "killed", killed
