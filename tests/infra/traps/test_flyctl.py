"""Traps of flyctl: what it does by default, what it never says, what it never ends."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any, get_args

import pytest

from infra.config import StackConfig
from infra.deploy import fly
from infra.deploy import flyctl as flyctl_calls
from infra.deploy.errors import DeployError
from infra.deploy.fly import deployment
from infra.fly_config import FlyConfig, fly_config
from infra.sources import ROOT
from tests.infra.deploy.flyctl_stub import Flyctl
from tests.infra.deploy.test_fly import DEPLOY, Health
from tests.infra.localcloud.fly.recorded import load
from tests.infra.test_fly_config import config_of
from tests.infra.test_stack import STACKS, stdin
from tests.infra.traps.calls import SECRET, take_every_step

Facts = dict[str, Any]
APP = {"app": "orbit-api"}
SHIPPED = ("staging", "production")


@pytest.fixture
def calls(flyctl: Flyctl, facts: Facts, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    found = take_every_step(flyctl, facts, monkeypatch)
    assert {tuple(call["argv"][:2]) for call in found} >= {
        ("apps", "create"),
        ("apps", "destroy"),
        ("secrets", "import"),
        ("secrets", "unset"),
        ("scale", "count"),
        ("certs", "remove"),
    }
    return found


def test_every_call_is_quiet_and_never_asks(calls: list[dict[str, Any]]) -> None:
    quiet = {"FLY_NO_UPDATE_CHECK": "1", "FLY_NO_INCIDENTS_CHECK": "1", "FLY_SEND_METRICS": "0", "CI": "1"}
    assert [call["argv"] for call in calls if quiet.items() - call["env"].items()] == []


def test_no_call_waits_for_a_yes_or_guesses_the_organization(calls: list[dict[str, Any]]) -> None:
    for words in (call["argv"] for call in calls):
        if words[:2] in (["apps", "destroy"], ["scale", "count"], ["certs", "remove"]) or words[0] == "deploy":
            assert "--yes" in words
        if words[:2] == ["apps", "create"]:
            assert words[words.index("--org") + 1] == "personal"


def test_secrets_are_only_ever_staged(calls: list[dict[str, Any]]) -> None:
    """Without --stage flyctl deploys at once, by the strategy that it stored."""
    changes = [call["argv"] for call in calls if call["argv"][:2] in (["secrets", "import"], ["secrets", "unset"])]
    assert len(changes) == 2
    assert [words for words in changes if "--stage" not in words] == []


def test_no_secret_is_an_argument(calls: list[dict[str, Any]]) -> None:
    assert not [call["argv"] for call in calls if any(SECRET in word for word in call["argv"])]
    assert [call["argv"][:2] for call in calls if SECRET in call["stdin"]] == [["secrets", "import"]]


def test_nothing_is_asked_that_may_hang_or_may_be_forbidden(calls: list[dict[str, Any]]) -> None:
    """`logs` never ends on an empty log; a token of one app may not list apps; `config validate` accepts nonsense."""
    asked = {" ".join(call["argv"][:2]) for call in calls} | {call["argv"][0] for call in calls}
    assert not asked & {"logs", "apps list", "config validate"}


def test_a_deployment_is_watched_and_makes_one_machine(calls: list[dict[str, Any]]) -> None:
    [words] = [call["argv"] for call in calls if call["argv"][0] == "deploy"]
    assert "--ha=false" in words
    assert "--dns-checks=false" in words
    assert words[words.index("--strategy") + 1] == "rolling"
    assert not {"--detach", "--smoke-checks=false", "immediate"} & set(words)


def test_no_stack_can_choose_a_strategy_that_checks_nothing() -> None:
    assert set(get_args(StackConfig.model_fields["deploy_strategy"].annotation)) == {"rolling", "canary", "bluegreen"}


@pytest.mark.parametrize("stack", STACKS)
def test_every_strategy_has_what_it_needs(stack: str) -> None:
    """Blue-green wants a health check and no volume; a check of any strategy is what makes a failure seen."""
    told = tomllib.loads(stdin(stack, "backend-deploy")["config"])
    assert told["http_service"]["checks"]
    assert not {"mounts", "services"} & told.keys()


@pytest.mark.parametrize("stack", SHIPPED)
def test_our_time_limit_is_above_flyctls_own(stack: str) -> None:
    """Its limit counts for each phase of a machine, and ten seconds of smoke check come on top."""
    source = Path(deployment.__file__).read_text()
    [minutes] = re.findall(r'"--wait-timeout", "(\d+)m"', source)
    of_one_machine_s = 2 * 60 * int(minutes) + 10
    building_s = 300
    assert config_of(stack).machines * of_one_machine_s + building_s <= deployment.DEPLOY_TIMEOUT_S


def test_a_silent_api_ends_a_question(flyctl: Flyctl, monkeypatch: pytest.MonkeyPatch) -> None:
    """flyctl has no time limit of its own there."""
    (flyctl.folder / "flyctl").write_text("#!/bin/sh\nexec sleep 600\n")
    monkeypatch.setattr(flyctl_calls, "QUERY_TIMEOUT_S", 1)
    with pytest.raises(DeployError, match="flyctl status --json did not end within 1 s"):
        fly.STEPS["app"](json.dumps({**APP, "org": "personal"}))


def test_a_silent_api_ends_a_change(flyctl: Flyctl, facts: Facts, monkeypatch: pytest.MonkeyPatch) -> None:
    flyctl.replies(("status", facts["status-json-deployed"]))
    answering = (flyctl.folder / "flyctl").read_text()
    (flyctl.folder / "answering").write_text(answering)
    (flyctl.folder / "answering").chmod(0o755)
    hangs_on_scale = f'#!/bin/sh\n[ "$1" = scale ] && exec sleep 600\nexec {flyctl.folder}/answering "$@"\n'
    (flyctl.folder / "flyctl").write_text(hangs_on_scale)
    defaults = flyctl_calls.call.__kwdefaults__
    assert defaults
    monkeypatch.setitem(defaults, "timeout_s", 1)
    with pytest.raises(DeployError, match="flyctl scale count did not end within 1 s"):
        fly.STEPS["scale"](json.dumps({**APP, "machines": 2}))


def test_every_call_has_a_time_limit() -> None:
    """`run` has one by itself; nothing may lift it, and nothing may start flyctl by another way."""
    sources = {path: path.read_text() for path in Path(fly.__file__).parent.glob("*.py")}
    sources[Path(flyctl_calls.__file__)] = Path(flyctl_calls.__file__).read_text()
    assert not [path.name for path, text in sources.items() if re.search(r"timeout_s=None|Popen|shell=True", text)]
    direct = [line for text in sources.values() for line in text.splitlines() if "subprocess.run" in line]
    started = re.findall(r'subprocess\.run\(\s*\["(\w+)"', "\n".join(sources.values()))
    assert len(direct) == len(started)
    assert set(started) <= {"git"}


@pytest.mark.parametrize(
    "record", ["missing-app-status-json", "missing-app-machine-list-json", "missing-app-logs-no-tail"]
)
def test_each_way_to_say_that_an_app_is_missing_is_understood(flyctl: Flyctl, record: str) -> None:
    found = load()[record]
    flyctl.replies(("status", {"stdout": found.stdout, "stderr": found.stderr, "exit": found.exit}))
    fly.STEPS["destroy-app"](json.dumps({**APP, "org": "personal"}))
    assert flyctl.asked("apps") == []


def test_a_name_that_someone_else_has_is_told(flyctl: Flyctl, facts: Facts) -> None:
    taken = load()["apps-create-exists"]
    reply = {"stderr": taken.stderr, "exit": taken.exit}
    flyctl.replies(("status", facts["missing-app-status-json"]), ("apps create", reply))
    with pytest.raises(DeployError, match="Name has already been taken"):
        fly.STEPS["app"](json.dumps({**APP, "org": "personal"}))


@pytest.mark.parametrize("status", [1, 127, -9])
def test_any_other_end_than_zero_is_a_failure(flyctl: Flyctl, facts: Facts, status: int) -> None:
    """It has one exit status for every reason, and another one when interrupted."""
    flyctl.replies(("status", facts["status-json-empty-app"]), ("deploy", {"stderr": "why", "exit": status & 0xFF}))
    with pytest.raises(DeployError, match=rf"exit {status & 0xFF}\): why"):
        fly.STEPS["deploy"](json.dumps({**APP, **DEPLOY}))


def test_what_a_deployment_prints_is_not_read(flyctl: Flyctl, facts: Facts, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its one line of JSON stands amid ordinary output, is missing after a failure, and colours stay in."""
    monkeypatch.setattr(deployment, "_version", lambda request: "v2")
    Health(monkeypatch, "v2")
    noise = '\x1b[32m==> done\x1b[0m\n{"image_ref": "registry.fly.io/other@sha256:' + "0" * 64 + '"}\n{"half'
    flyctl.replies(("status", facts["status-json-deployed"]), ("deploy", {"stdout": noise}))
    answer = fly.STEPS["deploy"](json.dumps({**APP, **DEPLOY}))
    assert answer["image"] == "registry.fly.io/orbit-api@sha256:" + "a" * 64


def test_we_check_what_flyctl_would_accept() -> None:
    """`config validate` takes any size and sections that do not exist; our own types do not."""
    document = fly_config(config_of("staging")).model_dump(exclude_none=True)
    with pytest.raises(ValueError, match="Extra inputs"):
        FlyConfig.model_validate({**document, "http_servce": {}})
    with pytest.raises(ValueError, match="internal_port"):
        FlyConfig.model_validate({**document, "http_service": {**document["http_service"], "internal_port": None}})


def test_a_socket_is_never_silent_for_as_long_as_a_proxy_waits() -> None:
    """Cloudflare ends a silent socket after 100 s; one lost heartbeat must not be enough."""
    source = (ROOT / "app/progress/socket.py").read_text()
    [seconds] = re.findall(r"^HEARTBEAT_S = ([\d.]+)$", source, re.MULTILINE)
    assert float(seconds) * 2 < 100
