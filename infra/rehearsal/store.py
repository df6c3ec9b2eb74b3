"""The state file: one JSON document, replaced whole after every change, its secrets encrypted, mode 0600.

The version before the last change stays beside it as `.bak`. A file that cannot be read is never written over.
"""

import contextlib
import json
import os
import threading
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, cast

from infra.rehearsal.crypto import Crypter, SecretsError
from infra.rehearsal.redact import Redactor
from infra.rehearsal.resource import Resource
from infra.rehearsal.state import Pending, State
from infra.rehearsal.urns import STACK_TYPE
from infra.rehearsal.values import MARK, SECRET, SECRET_SHOWN, Value, Values, is_secret, replaced, secret_texts

VERSION = 1
SEALED = "rehearsal:sealed"
"""Marks a text that holds a secret without being one to the program: encrypted all the same."""


class StateError(RuntimeError):
    """The state file cannot be used; the message names it and what to do."""


class Store:
    """Loads and saves one state. `save` may be called from several threads, with the state's lock held."""

    def __init__(
        self, path: Path, crypter: Crypter, salt: str, redactor: Redactor, reader: Crypter | None = None
    ) -> None:
        """`crypter` and `salt` are for writing; `reader` is the key of the file as it is, if that is another."""
        self._path, self._crypter, self._salt, self._redactor = path, crypter, salt, redactor
        self._reader = reader or crypter
        self._lock = threading.Lock()

    def load(self) -> State:
        """The saved state, or an empty one. Raises StateError."""
        document = read_document(self._path)
        if document is None:
            return State()
        try:
            opened = cast(dict[str, Any], self._open(document))
            state = State(
                {one["urn"]: _resource(one) for one in opened["resources"]},
                [_resource(one) for one in opened["replaced"]],
                {urn: Pending(**one) for urn, one in opened["pending"].items()},
            )
        except SecretsError as error:
            raise StateError(f"{self._path}: {error}; the state was written with other secrets") from error
        except (KeyError, TypeError, AttributeError) as error:
            raise _damaged(self._path, f"{type(error).__name__} at {error}") from error
        for resource in state.all:
            self._redactor.add(*secret_texts(resource.inputs), *secret_texts(resource.outputs))
        return state

    def save(self, state: State) -> None:
        """Durable when it returns: written beside, flushed to disk, then renamed over the file."""
        document: Values = {
            "version": VERSION,
            "about": "state of a rehearsal; made by infra.rehearsal, no Pulumi state",
            "encryptionsalt": self._salt,
            "resources": [self._seal(_record(resource)) for resource in state.resources.values()],
            "replaced": [self._seal(_record(resource)) for resource in state.replaced],
            "pending": {urn: asdict(pending) for urn, pending in state.pending.items()},
        }
        with self._lock:
            _write(self._path, json.dumps(document, indent=1))

    def _seal(self, value: Value) -> Value:
        def seal(part: Value) -> tuple[bool, Value]:
            if isinstance(part, dict) and is_secret(part):
                return True, {MARK: SECRET, "ciphertext": self._crypter.encrypt(json.dumps(part.get("value")))}
            if isinstance(part, str) and self._redactor.holds(part):
                return True, {SEALED: self._crypter.encrypt(part)}
            return False, None

        return replaced(value, seal)

    def _open(self, value: Value) -> Value:
        def unseal(part: Value) -> tuple[bool, Value]:
            if isinstance(part, dict) and is_secret(part):
                return True, {MARK: SECRET, "value": json.loads(self._reader.decrypt(str(part.get("ciphertext"))))}
            if isinstance(part, dict) and SEALED in part:
                return True, self._reader.decrypt(str(part[SEALED]))
            return False, None

        return replaced(value, unseal)


def saved_outputs(path: Path) -> Values:
    """The stack's outputs with everything encrypted shown as `[secret]`. Raises StateError."""
    document = read_document(path)
    if document is None:
        raise StateError(f"there is no state {path}: run `up` first, or name another with --state")

    def hide(part: Value) -> tuple[bool, Value]:
        return isinstance(part, dict) and (is_secret(part) or SEALED in part), SECRET_SHOWN

    stacks = [one for one in document["resources"] if one["type"] == STACK_TYPE]
    outputs = replaced(stacks[0].get("outputs", {}) if stacks else {}, hide)
    return outputs if isinstance(outputs, dict) else {}


def read_document(path: Path) -> dict[str, Any] | None:
    """The file as JSON, None if there is none. Raises StateError for a damaged or a newer one."""
    try:
        document = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    except (ValueError, OSError) as error:
        raise _damaged(path, str(error)) from error
    if not isinstance(document, dict) or "version" not in document:
        raise _damaged(path, "it has no version")
    if document["version"] != VERSION:
        raise StateError(
            f"{path} is a state of version {document['version']!r} and this rehearsal reads version {VERSION}; "
            "use the revision of the repository that wrote it, or remove the file to start anew"
        )
    return document


def backup(path: Path) -> Path:
    return path.with_name(path.name + ".bak")


def _damaged(path: Path, why: str) -> StateError:
    kept = backup(path)
    way = (
        f"put the version before the last change back with `cp {kept} {path}`"
        if kept.exists()
        else "remove it to start anew (what it held then has to be removed by hand)"
    )
    return StateError(f"{path} is damaged ({why}); nothing was changed; {way}")


def _record(resource: Resource) -> Values:
    """Only what is set, so that the file stays readable."""
    always = {"urn", "type", "name", "custom"}
    return {key: value for key, value in asdict(resource).items() if key in always or value}


def _resource(record: dict[str, Any]) -> Resource:
    known = {one.name for one in fields(Resource)}
    return Resource(**{key: value for key, value in record.items() if key in known})


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".new")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    if path.exists():
        kept = backup(path)
        with contextlib.suppress(FileNotFoundError):
            kept.unlink()
        os.link(path, kept)
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
