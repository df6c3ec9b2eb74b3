"""The command line as its users meet it: in a process of its own, interrupted and killed too."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = """
import pulumi
from pulumi_command import local

config = pulumi.Config()
secret = config.require_secret("key")
first = local.Command("first", create="echo made; echo saw $KEY >&2", environment={"KEY": secret})
second = local.Command(
    "second", create=config.get("create") or "echo two", delete="true",
    triggers=[config.get("trigger") or "1"], opts=pulumi.ResourceOptions(depends_on=[first]))
print("the program says", config.get("shown"))
pulumi.export("made", first.stdout)
pulumi.export("key", secret)
"""
VALUE = 'sk-"quoted"/value'


class Place:
    """A program, its settings and its state in one folder.

    Encrypted settings cost a derived key in every run, so most tests have theirs in a vector's JSON.
    """

    def __init__(self, folder: Path, *, encrypted: bool) -> None:
        self.folder = folder
        self.state = folder / "state.json"
        self.settings = folder / ("Pulumi.local.yaml" if encrypted else "config.json")
        self._encrypted = encrypted
        self._processes: list[subprocess.Popen[str]] = []
        (folder / "infra").mkdir()
        (folder / "infra" / "__main__.py").write_text(PROGRAM)
        (folder / "Pulumi.yaml").write_text("name: app\nruntime: python\nmain: infra\n")
        self.configure()
        if encrypted:
            self.run("encrypt", "key", "--config", str(self.settings), text=VALUE)

    def configure(self, **values: str) -> None:
        """Sets plain values beside the secret one."""
        plain = {f"app:{key}": value for key, value in values.items()}
        if not self._encrypted:
            self.settings.write_text(json.dumps({"config": {"app:key": VALUE, **plain}, "secret": ["app:key"]}))
            return
        kept = self.settings.read_text().partition("# plain")[0] if self.settings.exists() else "config:\n"
        lines = "".join(f"  {key}: {json.dumps(value)}\n" for key, value in plain.items())
        self.settings.write_text(f"{kept.rstrip()}\n# plain\n{lines}")

    def words(self, verb: str, *more: str) -> list[str]:
        options = ["--program", str(self.folder), "--config", str(self.settings), "--state", str(self.state)]
        return [sys.executable, "-m", "infra.rehearsal", verb, *(options if verb != "encrypt" else []), *more]

    def environment(self, **more: str) -> dict[str, str]:
        return {**os.environ, "PULUMI_CONFIG_PASSPHRASE": "local", "AWS_SECRET_ACCESS_KEY": "a-real-key", **more}

    def run(self, verb: str, *more: str, text: str = "", rc: int = 0, **environment: str) -> tuple[str, str]:
        done = subprocess.run(
            self.words(verb, *more),
            cwd=ROOT,
            env=self.environment(**environment),
            input=text,
            capture_output=True,
            text=True,
            timeout=280,
            check=False,
        )
        assert done.returncode == rc, f"{done.stdout}\n{done.stderr}"
        assert VALUE not in done.stdout + done.stderr
        assert "sk-" not in done.stdout + done.stderr
        return done.stdout, done.stderr

    def begin(self, verb: str, marker: Path) -> subprocess.Popen[str]:
        """Starts a run and waits until its command has made `marker`."""
        process = subprocess.Popen(
            self.words(verb),
            cwd=ROOT,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._processes.append(process)
        waited = threading.Event()
        for _ in range(1200):
            if marker.exists():
                return process
            assert process.poll() is None, process.communicate()[0]
            waited.wait(0.05)
        raise AssertionError("the command did not begin")

    def close(self) -> None:
        for process in self._processes:
            if process.poll() is None:
                process.kill()
                process.wait()
            if process.stdout:
                process.stdout.close()

    def waiting_command(self) -> tuple[Path, Path]:
        """Makes `second` a command that marks its beginning, notes its process and waits for the file `go`."""
        begun, noted = self.folder / "begun", self.folder / "pid"
        wait = f"while [ ! -e {self.folder}/go ]; do sleep 0.05; done"
        self.configure(create=f"echo $$ > {noted}; touch {begun}; {wait}; echo two", trigger="2")
        return begun, noted


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path, encrypted=False)
    yield made
    made.close()


@pytest.fixture
def encrypted_place(tmp_path: Path) -> Place:
    return Place(tmp_path, encrypted=True)


def ops(document: dict[str, Any]) -> list[str]:
    return [f"{one['op']} {one['urn'].rpartition('::')[2]}" for one in document["steps"]]


def test_the_life_of_a_stack(encrypted_place: Place) -> None:
    place = encrypted_place
    place.configure(shown=f"a copy of {VALUE}")
    plan = json.loads(place.run("preview", "--json")[0])
    assert ops(plan) == ["create app-local", "create first", "create second"]
    assert plan["duration"] > 0
    assert plan["steps"][1]["newState"]["inputs"]["environment"] == {"KEY": "[secret]"}
    assert plan["changeSummary"] == {"create": 3}
    assert not place.state.exists()

    result = place.folder / "result.json"
    said, _ = place.run("up", "--yes", "--result", str(result))
    assert said.startswith("rehearsal, not Pulumi")
    assert "first: saw [secret]" in said
    assert "the program says a copy of [secret]" in said
    assert "3 created" in said
    assert VALUE not in result.read_text() + place.state.read_text()
    assert result.stat().st_mode & 0o777 == 0o600
    assert json.loads(result.read_text())["outputs"] == {"key": "[secret]", "made": "made"}

    before = place.state.read_bytes()
    said, _ = place.run("up")
    assert "nothing changed: 3 resources are as they should be" in said
    assert place.state.read_bytes() == before
    assert json.loads(place.run("outputs", "--json", PULUMI_CONFIG_PASSPHRASE="")[0])["made"] == "made"

    place.configure(trigger="2")
    summary = json.loads(place.run("up", "--json")[0])
    assert (summary["result"], summary["changes"]) == ("succeeded", {"replace": 1, "same": 2})
    assert "3 deleted" in place.run("destroy")[0]
    assert "nothing to destroy" in place.run("destroy")[0]


def test_a_failed_command_is_told_without_its_secrets(place: Place) -> None:
    place.configure(create=f"echo oops {VALUE!r} >&2; exit 4")
    said, _ = place.run("up", rc=1)
    assert "error: second: exit status 4" in said
    assert "oops [secret]" in said
    assert "failed after" in said


def test_an_interrupted_run_stops_its_command_and_is_gone_on_with(place: Place) -> None:
    begun, noted = place.waiting_command()
    process = place.begin("up", begun)
    process.send_signal(signal.SIGTERM)
    said = process.communicate(timeout=200)[0]
    assert process.returncode == 128 + signal.SIGTERM, said
    assert "interrupted" in said
    assert not _runs(int(noted.read_text()))

    (place.folder / "go").touch()
    said, _ = place.run("up")
    assert "resuming: an earlier run was stopped while creating second" in said
    assert "1 created" in said


def test_a_killed_run_is_resumed_and_its_orphan_ended(place: Place) -> None:
    begun, noted = place.waiting_command()
    process = place.begin("up", begun)
    _, errors = place.run("up", rc=1)
    assert f"in use by another run (process {process.pid})" in errors
    place.run("preview")
    assert process.poll() is None
    process.kill()
    process.wait()
    assert _runs(int(noted.read_text()))

    (place.folder / "go").touch()
    said, _ = place.run("up")
    assert "1 created" in said
    assert not _runs(int(noted.read_text().split()[0]))
    assert "nothing changed" in place.run("up")[0]


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_what_leads_off_this_machine_is_refused_but_can_be_previewed(place: Place) -> None:
    place.configure(apiUrl="https://api.example.com")
    for verb in ("up", "destroy"):
        assert "app:apiUrl is 'https://api.example.com'" in place.run(verb, rc=1)[1]
    place.run("preview")


def test_commands_get_no_real_credentials_but_those_of_the_env_file(place: Place) -> None:
    place.configure(create="env | grep -c -e AWS_ -e PASSPHRASE; echo $FLY_API_TOKEN | wc -c")
    file = place.folder / "env"
    file.write_text("FLY_API_TOKEN=local-fly-token\n")
    result = place.folder / "result.json"
    place.run("up", "--env-file", str(file), "--result", str(result))
    state = json.loads(result.read_text())["state"]
    assert next(one["outputs"]["stdout"] for one in state if one["urn"].endswith("second")) == "0\n16"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--config", "none.yaml"], "cannot read the stack's settings none.yaml"),
        (["--program", "none"], "--program none: no such folder"),
        (["--env-file", "none"], "--env-file none"),
    ],
)
def test_a_wrong_path_is_named(place: Place, options: list[str], message: str) -> None:
    assert message in place.run("up", *options, rc=1)[1]


def test_a_wrong_passphrase_is_explained(encrypted_place: Place) -> None:
    assert "the passphrase is wrong" in encrypted_place.run("up", rc=1, PULUMI_CONFIG_PASSPHRASE="other")[1]


def test_a_damaged_state_is_explained_and_left_alone(place: Place) -> None:
    place.state.write_text("{")
    assert "is damaged" in place.run("up", rc=1)[1]
    assert place.state.read_text() == "{"


def test_another_stacks_state_is_refused(place: Place) -> None:
    place.run("up")
    assert "is not the state of stack 'other' of 'app'" in place.run("up", "--stack", "other", rc=1)[1]


def test_each_finished_run_is_remembered_without_its_secrets(place: Place) -> None:
    place.configure(shown=f"copy of {VALUE}")
    place.run("up", "--message", "the first")
    place.run("preview")
    place.configure(create="exit 1", trigger="2")
    place.run("up", rc=1)
    place.configure(trigger="2")
    place.run("destroy")
    found = json.loads(place.run("history", "--json", PULUMI_CONFIG_PASSPHRASE="")[0])
    assert [(one["kind"], one["result"]) for one in found] == [
        ("destroy", "succeeded"),
        ("update", "failed"),
        ("update", "succeeded"),
    ]
    assert (found[-1]["message"], found[-1]["resourceChanges"]) == ("the first", {"create": 3})
    assert found[-1]["config"]["app:key"] == {"secret": True}
    assert found[-1]["config"]["app:shown"] == {"value": "copy of [secret]", "secret": False}
    said, _ = place.run("history")
    assert len(said.splitlines()) == 3


def test_secret_outputs_are_shown_only_on_demand(place: Place) -> None:
    place.run("up")
    assert json.loads(place.run("outputs", "--json")[0]) == {"key": "[secret]", "made": "made"}
    done = subprocess.run(
        place.words("outputs", "--json", "--show-secrets"),
        cwd=ROOT,
        env=place.environment(),
        capture_output=True,
        text=True,
        timeout=280,
        check=True,
    )
    assert json.loads(done.stdout) == {"key": VALUE, "made": "made"}


def test_a_refresh_says_that_nothing_drifted_and_is_remembered(place: Place) -> None:
    place.run("up")
    said, _ = place.run("refresh", "--preview-only", "--expect-no-changes")
    assert "nothing changed: 2 resources are as they should be" in said
    place.run("refresh")
    place.run("up", "--refresh")
    kinds = [one["kind"] for one in json.loads(place.run("history", "--json")[0])]
    assert kinds == ["update", "refresh", "update"]


def test_a_target_alone_is_changed(place: Place) -> None:
    place.run("up")
    place.configure(create="echo 2", trigger="2")
    second = "urn:pulumi:local::app::command:local:Command::second"
    assert "nothing changed" in place.run("up", "--target", "**::first")[0]
    assert "1 replaced" in place.run("up", "--target", second)[0]
    assert "is not in the state" in place.run("destroy", "--target", "urn:none", rc=1)[0]
    assert "1 deleted" in place.run("destroy", "--target", second)[0]


def test_a_second_run_is_refused_and_a_dead_ones_lock_is_taken_over(place: Place) -> None:
    lock = place.state.with_name("state.json.lock")
    lock.write_text("999999\n")
    place.run("up")
    begun, _ = place.waiting_command()
    process = place.begin("up", begun)
    for verb in ("up", "destroy", "refresh"):
        assert f"in use by another run (process {process.pid})" in place.run(verb, rc=1)[1]
    (place.folder / "go").touch()
    process.communicate(timeout=200)
    assert process.returncode == 0
