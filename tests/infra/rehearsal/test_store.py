"""The state file: whole or not at all, secrets never in clear, one writer."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from infra.rehearsal.crypto import Crypter
from infra.rehearsal.lock import LockedError, locked
from infra.rehearsal.redact import Redactor
from infra.rehearsal.resource import Resource
from infra.rehearsal.state import Pending, State
from infra.rehearsal.store import StateError, Store, backup, saved_outputs
from infra.rehearsal.urns import STACK_TYPE, stack_urn
from infra.rehearsal.values import secret
from tests.infra.rehearsal.support import PROJECT, STACK, store, urn


def resource(name: str, **facts: object) -> Resource:
    return Resource(urn(name), "command:local:Command", name, True, **facts)  # type: ignore[arg-type]


def filled() -> State:
    one = resource("a", id="a-1", inputs={"n": 1, "key": secret({"deep": ["hidden-value"]})}, protect=True)
    old = resource("a", id="a-0", delete=True)
    return State({one.urn: one}, [old], {urn("b"): Pending("creating", "t", 12, "345")})


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "state.json"
    store(path).save(filled())
    assert store(path).load() == filled()


def test_there_is_an_empty_state_where_there_is_no_file(tmp_path: Path) -> None:
    assert store(tmp_path / "state.json").load() == State()


def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    store(path).save(filled())
    store(path).save(filled())
    assert {one.stat().st_mode & 0o777 for one in tmp_path.iterdir()} == {0o600}


def test_no_secret_is_in_clear_not_even_in_a_value_that_is_none(tmp_path: Path) -> None:
    path, redactor = tmp_path / "state.json", Redactor()
    redactor.add("hidden-value")
    state = State({urn("a"): resource("a", outputs={"stdout": "said hidden-value aloud", "n": 1})})
    store(path, redactor).save(state)
    assert "hidden-value" not in path.read_text()
    assert store(path).load() == state


def test_loading_makes_secrets_known_to_the_redactor(tmp_path: Path) -> None:
    path, redactor = tmp_path / "state.json", Redactor()
    store(path).save(filled())
    store(path, redactor).load()
    assert redactor.text("hidden-value") == "[secret]"


def test_the_version_before_the_last_change_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    store(path).save(State())
    store(path).save(filled())
    assert json.loads(backup(path).read_text())["resources"] == []


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 1}', '{"version": 1, "resources": [{}], "replaced": []}'])
def test_a_damaged_file_is_left_alone_and_the_way_back_is_shown(tmp_path: Path, text: str) -> None:
    path = tmp_path / "state.json"
    store(path).save(State())
    store(path).save(State())
    path.write_text(text)
    with pytest.raises(StateError, match=r"damaged .*nothing was changed.* `cp .*state\.json\.bak .*state\.json`"):
        store(path).load()
    assert path.read_text() == text


def test_without_a_backup_the_way_is_to_start_anew(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    path.write_text("{")
    with pytest.raises(StateError, match="remove it to start anew"):
        store(path).load()


def test_a_newer_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    path.write_text('{"version": 99}')
    with pytest.raises(StateError, match="version 99"):
        store(path).load()


def test_another_key_is_named_as_the_reason(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    store(path).save(filled())
    with pytest.raises(StateError, match="other secrets"):
        Store(path, Crypter(bytes(32)), "", Redactor()).load()


def test_it_can_change_its_key(tmp_path: Path) -> None:
    path, old, new = tmp_path / "state.json", Crypter(b"o" * 32), Crypter(b"n" * 32)
    Store(path, old, "", Redactor()).save(filled())
    both = Store(path, new, "v1:salt", Redactor(), reader=old)
    both.save(both.load())
    assert Store(path, new, "v1:salt", Redactor()).load() == filled()


def test_outputs_are_shown_without_any_key(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    outputs = Resource(stack_urn(STACK, PROJECT), STACK_TYPE, "stack", False, outputs={"url": "x", "key": secret("y")})
    store(path).save(State({outputs.urn: outputs}))
    assert saved_outputs(path) == {"url": "x", "key": "[secret]"}
    with pytest.raises(StateError, match="run `up` first"):
        saved_outputs(tmp_path / "none.json")


def test_a_renamed_resource_is_renamed_where_others_name_it() -> None:
    former, present = urn("old"), urn("new")
    child = resource("c", parent=former, dependencies=[former], property_dependencies={"k": [former]})
    state = State({former: resource("old"), child.urn: child})
    state.rename(former, present)
    assert (state.resources[present].urn, state.resources[present].name) == (present, "new")
    assert (child.parent, child.dependencies, child.property_dependencies) == (present, [present], {"k": [present]})


def test_a_second_run_is_refused_and_told_by_whom_until_the_first_dies(tmp_path: Path) -> None:
    """A child that the first one forked and that has not started its command yet does not hold it on."""
    path = tmp_path / "state.json"
    script = (
        "import os, pathlib, sys, time\nfrom infra.rehearsal.lock import locked\n"
        "with locked(pathlib.Path(sys.argv[1])):\n child = os.fork()\n if child: print(child, flush=True)\n"
        " time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        child = int(holder.stdout.readline())
        try:
            with pytest.raises(LockedError, match=f"process {holder.pid}"), locked(path):
                pass
            holder.kill()
            holder.wait()
            with locked(path):
                pass
        finally:
            holder.kill()
            os.kill(child, signal.SIGKILL)
