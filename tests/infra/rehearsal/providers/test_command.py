"""Commands as pulumi-command runs them; what the vectors do not show."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.rehearsal.providers.assets import outputs_of
from infra.rehearsal.providers.base import Call, ProviderError
from infra.rehearsal.providers.command import RUN, TYPE, Command
from infra.rehearsal.providers.mislaid import mislaid
from infra.rehearsal.providers.process import Processes, end_orphan, start_time
from infra.rehearsal.resource import Resource
from infra.rehearsal.values import ASSET, MARK, UNKNOWN, Values, secret
from tests.infra.rehearsal.support import urn


@pytest.fixture
def command(tmp_path: Path) -> Command:
    return Command(tmp_path, {"PATH": "/usr/bin:/bin", "GIVEN": "from outside"}, Processes())


def call(inputs: Values, **more: object) -> Call:
    return Call(Resource(urn("c"), TYPE, "c", True, inputs=inputs), inputs, **more)  # type: ignore[arg-type]


def test_it_runs_in_the_programs_folder_or_in_a_folder_relative_to_it(command: Command, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    assert command.create(call({"create": "pwd -P"})).outputs["stdout"] == str(tmp_path.resolve())
    assert command.create(call({"create": "pwd -P", "dir": "sub"})).outputs["stdout"] == str(tmp_path.resolve() / "sub")


def test_secrets_are_opened_for_the_command_and_stay_marked_in_the_outputs(command: Command) -> None:
    inputs: Values = {"create": 'read x; echo "$x$WORD"', "stdin": secret("a\n"), "environment": {"WORD": secret("b")}}
    outputs = command.create(call(inputs)).outputs
    assert outputs["stdout"] == "ab"
    assert outputs["environment"] == {"WORD": secret("b")}


def test_it_sees_only_the_environment_that_it_is_given(command: Command) -> None:
    outputs = command.create(call({"create": "env | sort", "environment": {"N": 7, "YES": True}})).outputs
    names = [line.split("=")[0] for line in str(outputs["stdout"]).splitlines()]
    assert {"GIVEN", "N", "YES", "PATH"} <= {*names} <= {"GIVEN", "N", "YES", "PATH", "PWD", "SHLVL", "_", "OLDPWD"}
    assert "YES=true" in str(outputs["stdout"])


def test_another_interpreter_takes_the_script_as_its_last_word(command: Command) -> None:
    inputs: Values = {"create": "script", "interpreter": ["/bin/echo", "-n", "with"]}
    assert command.create(call(inputs)).outputs["stdout"] == "with script"


def test_only_the_last_newline_is_taken_off(command: Command) -> None:
    assert command.create(call({"create": "printf 'a\\n\\n'"})).outputs["stdout"] == "a\n"


def test_a_failure_tells_the_status_the_script_and_what_it_said(command: Command) -> None:
    with pytest.raises(ProviderError, match=r'(?s)exit status 3: running "echo out; echo err >&2; exit 3":\nout\nerr'):
        command.create(call({"create": "echo out; echo err >&2; exit 3"}))


def test_a_command_that_cannot_begin_is_named(command: Command) -> None:
    with pytest.raises(ProviderError, match="cannot run '/no/such/shell'"):
        command.create(call({"create": "x", "interpreter": ["/no/such/shell"]}))


def test_a_command_that_reads_no_stdin_is_no_error(command: Command) -> None:
    command.create(call({"create": "exit 0", "stdin": "x" * 1_000_000}))


def test_much_output_on_both_streams_is_read(command: Command) -> None:
    script = "head -c 300000 /dev/zero | tr '\\0' o; head -c 300000 /dev/zero | tr '\\0' e >&2"
    outputs = command.create(call({"create": script})).outputs
    assert (len(str(outputs["stdout"])), len(str(outputs["stderr"]))) == (300000, 300000)


def test_stderr_is_said_line_by_line_and_logging_chooses_the_stream(command: Command) -> None:
    lines: list[str] = []
    script = "echo out; echo err >&2"
    for logging in (None, "stdout", "stdoutAndStderr", "none"):
        inputs: Values = {"create": script} if logging is None else {"create": script, "logging": logging}
        command.create(call(inputs, say=lines.append))
        lines.append("|")
    assert "".join(sorted(lines[:2])) == "err|"
    assert lines[2:4] == ["out", "|"]
    assert {*lines[4:6]} == {"out", "err"}
    assert lines[6:] == ["|", "|"]


def test_it_is_killed_after_its_time(command: Command) -> None:
    with pytest.raises(ProviderError, match=r"timed out after 0\.2 s"):
        command.create(call({"create": "sleep 30 & sleep 30"}, timeout=0.2))


def test_files_that_it_leaves_behind_are_outputs(command: Command, tmp_path: Path) -> None:
    """The hash of the archive is that of the tar file that Go's archive/tar makes of these files."""
    script = "mkdir -p sub && echo hello a.txt > a.txt && echo hello sub/b.txt > sub/b.txt && echo x > other"
    inputs: Values = {"create": script, "assetPaths": ["**", "!oth*"], "archivePaths": ["*.txt", "sub/{a,b}.txt"]}
    outputs = command.create(call(inputs)).outputs
    digest = "704a9d911f0aeeaa313bab50c608a5ffae1337945e01ff2463993592ff54f59f"
    assets, archive = outputs["assets"], outputs["archive"]
    assert isinstance(assets, dict)
    assert isinstance(archive, dict)
    assert assets.keys() == {"a.txt", "sub/b.txt"}
    assert assets["a.txt"] == {MARK: ASSET, "hash": digest, "path": str(tmp_path / "a.txt")}
    assert archive["assets"] == assets
    assert archive["hash"] == "62ebbb1c50b469147c962bf4148bd611ba138b5283cffebba4f6b866c623c4b2"


@pytest.mark.parametrize(
    ("glob", "names"),
    [
        ("*", ["a1", "ab"]),
        ("**", ["a1", "ab", "sub/a1"]),
        ("a?", ["a1", "ab"]),
        ("a[0-9]", ["a1"]),
        ("a[!0-9]", ["ab"]),
        ("{ab,sub/*}", ["ab", "sub/a1"]),
        ("a,b", []),
        ("a\\b", ["ab"]),
        ("sub", []),
    ],
)
def test_patterns_of_files(glob: str, names: list[str], tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    for name in ("a1", "ab", "sub/a1"):
        (tmp_path / name).touch()
    found = outputs_of(tmp_path, ".", {"assetPaths": [glob]})["assets"]
    assert isinstance(found, dict)
    assert sorted(found) == names


def test_a_name_that_no_archive_can_have_is_named(command: Command) -> None:
    with pytest.raises(ProviderError, match=r"cannot collect .*x{101}"):
        command.create(call({"create": f"touch {'x' * 101}", "archivePaths": ["*"]}))


def test_an_update_without_any_script_keeps_what_was_said(command: Command) -> None:
    old = Resource(urn("c"), TYPE, "c", True, "id", outputs={"stdout": "before", "stderr": ""})
    assert command.update(call({"delete": "true"}, old=old))["stdout"] == "before"


def test_the_function_runs_a_command_and_others_are_refused(command: Command) -> None:
    assert command.invoke(RUN, {"command": "echo $X", "environment": {"X": "1"}}, {})["stdout"] == "1"
    with pytest.raises(ProviderError, match="not supported"):
        command.invoke("command:remote:run", {}, {})


def test_a_preview_makes_up_an_id_and_keeps_the_one_of_an_update(command: Command) -> None:
    planned = command.plan(call({"create": "true"}))
    assert planned.made_up
    assert planned.outputs["stdout"] == UNKNOWN
    old = Resource(urn("c"), TYPE, "c", True, "id")
    assert command.plan(Call(old, {}, old=old)).id == "id"


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ([UNKNOWN, "x"], [UNKNOWN, "x"]),
        ([{"list": [UNKNOWN, "x", True], "n": UNKNOWN}], [{"list": ["", "x", UNKNOWN], "n": UNKNOWN}]),
        ([{"list": [secret(UNKNOWN), "x"]}], [{"list": [None, secret(UNKNOWN)]}]),
        ([{"list": ["y", "x"]}], [{"list": ["y", "x"]}]),
    ],
)
def test_unknowns_in_deep_lists_are_mislaid_as_the_real_provider_does(value: Values, read: Values) -> None:
    assert mislaid({"triggers": value, "other": UNKNOWN}) == {"triggers": read, "other": UNKNOWN}


def in_background(work: Callable[[], object]) -> tuple[threading.Thread, list[BaseException]]:
    failures: list[BaseException] = []

    def guarded() -> None:
        try:
            work()
        except ProviderError as error:
            failures.append(error)

    thread = threading.Thread(target=guarded)
    thread.start()
    return thread, failures


def test_stopping_ends_running_commands_with_what_they_started_and_begins_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infra.rehearsal.providers.process.GRACE_SECONDS", 600.0)
    processes, begun = Processes(), threading.Event()
    command = Command(tmp_path, {"PATH": "/usr/bin:/bin"}, processes)
    script = "trap 'echo stopped > stopped; exit 0' TERM; (echo begun >&2; exec sleep 600) & wait"
    thread, failures = in_background(
        lambda: command.create(call({"create": script + "; exit 1"}, say=lambda _: begun.set()))
    )
    assert begun.wait(120)
    processes.stop()
    thread.join(120)
    assert not thread.is_alive()
    assert (tmp_path / "stopped").read_text() == "stopped\n"
    assert failures == []
    with pytest.raises(ProviderError, match="interrupted"):
        command.create(call({"create": "true"}))


def test_a_stopped_command_stays_uncertain(tmp_path: Path) -> None:
    processes, begun = Processes(), threading.Event()
    command = Command(tmp_path, {"PATH": "/usr/bin:/bin"}, processes)
    script = "echo begun >&2; sleep 600"
    thread, failures = in_background(lambda: command.create(call({"create": script}, say=lambda _: begun.set())))
    assert begun.wait(120)
    processes.stop()
    thread.join(120)
    assert [isinstance(one, ProviderError) and one.uncertain for one in failures] == [True]


def test_an_orphan_is_ended_only_if_it_is_the_process_that_was_noted(tmp_path: Path) -> None:
    command = Command(tmp_path, {"PATH": "/usr/bin:/bin"}, Processes())
    noted: list[tuple[int, str]] = []
    begun = threading.Event()

    def started(group: int, when: str) -> None:
        noted.append((group, when))
        begun.set()

    thread, failures = in_background(lambda: command.create(call({"create": "sleep 600"}, started=started)))
    assert begun.wait(120)
    group, when = noted[0]
    assert start_time(group) == when
    assert not end_orphan(group, "another time")
    assert not end_orphan(0, "")
    assert end_orphan(group, when)
    thread.join(120)
    assert len(failures) == 1


def test_a_command_whose_process_group_could_not_be_noted_never_begins(tmp_path: Path) -> None:
    """As if the state could not be saved: nobody would find it. `test_kill_points` has the run killed there."""

    def killed(group: int, started: str) -> None:
        groups.append(group)
        raise KeyboardInterrupt

    groups: list[int] = []
    with pytest.raises(KeyboardInterrupt):
        Processes().run(
            ["/bin/sh", "-c", "touch ran"],
            folder=tmp_path,
            environment={"PATH": "/usr/bin:/bin"},
            stdin="",
            timeout=None,
            started=killed,
        )
    assert [start_time(group) for group in groups] == [""]
    assert not (tmp_path / "ran").exists()


def test_a_program_beside_the_command_is_found(command: Command, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    program = tmp_path / "sub" / "run"
    program.write_text("#!/bin/sh\necho ran $1\n")
    program.chmod(0o755)
    outputs = command.create(call({"create": "it", "dir": "sub", "interpreter": ["./run"]})).outputs
    assert outputs["stdout"] == "ran it"
