"""What several tests of the rehearsal need."""

from pathlib import Path

from infra.rehearsal.api import key_file
from infra.rehearsal.crypto import from_key_file
from infra.rehearsal.redact import Redactor
from infra.rehearsal.resource import Resource
from infra.rehearsal.store import Store

PROJECT, STACK = "vectors", "test"


def store(path: Path, redactor: Redactor | None = None) -> Store:
    """A state file without a passphrase, as the library opens it."""
    return Store(path, from_key_file(key_file(path)), "", redactor or Redactor())


def saved(path: Path) -> list[Resource]:
    """What a state file has, also what waits for its deletion."""
    return store(path).load().all


def urn(name: str, type_: str = "command:local:Command") -> str:
    return f"urn:pulumi:{STACK}::{PROJECT}::{type_}::{name}"
