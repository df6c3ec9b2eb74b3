"""`--policy-pack` of the rehearsal's command line: what violates is shown, fails, and is never touched."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from infra.sources import ROOT

PACK = ROOT / "infra" / "policy"
PROGRAM = """
import pulumi
from pulumi_command import local

config = pulumi.Config()
step = dict(add_previous_output_in_env=False)
first = local.Command("first", create="touch first", **step)
violating = {"delete": "true", "triggers": ["1"]} if config.get("violating") else {}
after = pulumi.ResourceOptions(depends_on=[first])
second = local.Command("second", create="touch second", **step, **violating, opts=after)
token = config.require_secret("token")
pulumi.export("token", token if not config.get("leaking") else pulumi.Output.unsecret(token))
"""
TOKEN = "a-token-that-nobody-may-see"
ADVICE = """
import os, sys
from pulumi_policy import EnforcementLevel, PolicyPack, ResourceValidationPolicy

print("and complaining", file=sys.stderr)

def advise(args, report):
    if args.resource_type == "command:local:Command":
        if os.environ.get("BROKEN"):
            raise RuntimeError("the policy broke")
        facts = [os.environ[f"PULUMI_{name}"] for name in ("PROJECT", "STACK", "DRY_RUN", "ORGANIZATION")]
        report(" ".join([*facts, os.path.basename(os.getcwd()), *sys.argv[2:], args.provider.resource_type]))

PolicyPack("advice", [ResourceValidationPolicy("advise", "Take advice.", advise)], EnforcementLevel.ADVISORY)
"""


class Place:
    """A program, its settings and its state in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "__main__.py").write_text(PROGRAM)
        (folder / "Pulumi.yaml").write_text("name: app\nruntime: python\n")
        self.configure()

    def configure(self, **values: str) -> None:
        config = {"app:token": TOKEN, **{f"app:{key}": value for key, value in values.items()}}
        (self.folder / "config.json").write_text(json.dumps({"config": config, "secret": ["app:token"]}))

    def words(self, verb: str, *packs: Path) -> list[str]:
        given = ["--program", str(self.folder), "--config", str(self.folder / "config.json")]
        given += ["--state", str(self.folder / "state.json"), "--stack", "test"]
        return [sys.executable, "-m", "infra.rehearsal", verb, *given, *(f"--policy-pack={pack}" for pack in packs)]

    def run(self, verb: str, *more: str, packs: tuple[Path, ...] = (PACK,), rc: int = 0, **environment: str) -> str:
        done = subprocess.run(
            [*self.words(verb, *packs), *more],
            cwd=ROOT,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )
        assert done.returncode == rc, f"{done.stdout}\n{done.stderr}"
        assert TOKEN not in done.stdout + done.stderr
        return done.stdout + done.stderr

    def made(self) -> set[str]:
        return {"first", "second"} & {path.name for path in self.folder.iterdir()}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def pack(folder: Path, program: str, settings: str | None = None) -> Path:
    folder.mkdir()
    default = f"runtime: {{name: python, options: {{virtualenv: {ROOT / '.venv'}}}}}\n"
    (folder / "PulumiPolicy.yaml").write_text(default if settings is None else settings)
    (folder / "__main__.py").write_text(program)
    return folder


def test_a_passing_program_is_previewed_and_applied(place: Place) -> None:
    assert f"✅ reel@v1.0.0 (local: {PACK})" in place.run("preview")
    assert place.made() == set()
    assert "✅ reel@v1.0.0" in place.run("up")
    assert place.made() == {"first", "second"}


def test_a_violating_preview_shows_everything_and_fails(place: Place) -> None:
    place.configure(violating="1")
    said = place.run("preview", rc=1)
    assert "❌ reel@v1.0.0" in said
    assert "- [mandatory]  no-triggers-with-delete  (command:local:Command: second)" in said
    assert "a trigger replaces, and then the old delete runs after the new create" in said
    assert "put the content hash into environment" in said
    assert "2 to create" in said or "3 to create" in said, "a preview goes on"


def test_an_up_stops_before_the_resource_that_violates(place: Place) -> None:
    place.configure(violating="1")
    said = place.run("up", rc=1)
    assert place.made() == {"first"}
    assert "[mandatory] no-triggers-with-delete" in said
    place.configure()
    place.run("up")
    assert place.made() == {"first", "second"}


def test_the_violation_of_an_update_leaves_the_resource_as_it_was(place: Place) -> None:
    place.run("up")
    before = json.loads((place.folder / "state.json").read_text())
    place.configure(violating="1")
    place.run("up", rc=1)
    after = json.loads((place.folder / "state.json").read_text())
    assert json.dumps(after, sort_keys=True) == json.dumps(before, sort_keys=True)


def test_an_output_in_clear_fails_the_preview_at_its_end(place: Place) -> None:
    place.configure(leaking="1")
    said = place.run("preview", rc=1)
    assert "- [mandatory]  secret-outputs-are-marked  (pulumi:pulumi:Stack)" in said


def test_json_has_the_violations_as_diagnostics(place: Place) -> None:
    place.configure(violating="1")
    said = place.run("preview", "--json", rc=1)
    document = json.JSONDecoder().raw_decode(said[said.index("{") :])[0]
    [found] = [each for each in document["diagnostics"] if each["severity"] == "error"]
    assert "no-triggers-with-delete" in found["message"]


def test_advice_is_shown_and_stops_nothing(place: Place, tmp_path: Path) -> None:
    advice = pack(tmp_path / "advice", ADVICE)
    said = place.run("up", packs=(advice, PACK))
    assert "⚠️  advice@v0.0.1" in said
    assert "✅ reel@v1.0.0" in said
    assert "- [advisory]  advise  (command:local:Command: first)" in said
    assert place.made() == {"first", "second"}


def test_a_pack_gets_what_the_engine_gives(place: Place, tmp_path: Path) -> None:
    said = place.run("preview", packs=(pack(tmp_path / "advice", ADVICE),))
    assert "app test true organization advice . pulumi:providers:command" in said
    assert "and complaining" in said


@pytest.mark.parametrize(
    ("program", "settings", "said"),
    [
        ("raise SystemExit('no thanks')", None, "no thanks"),
        ("print('getting ready')", None, "non-numeric port to stdout ('getting ready')"),
        ("", "runtime: nodejs\n", "runtime python only"),
        ("", "runtime: {name: python, options: {virtualenv: nowhere}}\n", "doesn't appear to be a virtual environment"),
        ("", ": [", "cannot read PulumiPolicy.yaml"),
    ],
)
def test_a_pack_that_cannot_start_stops_the_run(
    place: Place, tmp_path: Path, program: str, settings: str | None, said: str
) -> None:
    assert said in place.run("up", packs=(pack(tmp_path / "bad", program, settings),), rc=1)
    assert place.made() == set()


def test_a_policy_that_breaks_lets_nothing_through(place: Place, tmp_path: Path) -> None:
    advice = pack(tmp_path / "advice", ADVICE)
    assert "the policy broke" in place.run("up", packs=(advice,), rc=1, BROKEN="1")
    assert place.made() == set()


def test_a_killed_run_leaves_no_pack_behind(place: Place, eventually: Callable[[Callable[[], bool]], None]) -> None:
    waiting = place.folder / "waiting"
    (place.folder / "__main__.py").write_text(
        f"import pathlib, time\npathlib.Path({str(waiting)!r}).touch()\ntime.sleep(600)\n"
    )
    run = subprocess.Popen(place.words("preview", PACK), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        eventually(waiting.exists)
        [child] = [each for each in psutil.Process(run.pid).children() if "pulumi.policy" in each.cmdline()]
    finally:
        run.send_signal(signal.SIGKILL)
        run.wait()
    eventually(lambda: _ended(child))


def _ended(process: psutil.Process) -> bool:
    """It may go between two looks at it."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
