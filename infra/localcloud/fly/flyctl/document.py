"""A fly.toml as flyctl reads it: found, parsed, checked for the types and values that flyctl refuses.

flyctl accepts much nonsense (memory sizes, a missing port, unknown sections); only `--strict` names unknown keys.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.localcloud.fly.durations import parse_duration
from infra.localcloud.fly.flyctl.errors import CommandError

DEFAULT_NAME = "fly.toml"
STRATEGIES = ("canary", "rolling", "immediate", "bluegreen")
_POSITION = re.compile(r"(?P<reason>.*) \(at (?:line (?P<row>\d+), column (?P<column>\d+)|end of document)\)")
_CONTEXT_LINES = 3


def _fields(**names: str) -> dict[str, Any]:
    """Names of keys by their type."""
    return {name: kind for kind, group in names.items() for name in group.split()}


_CHECK = _fields(
    string="method path protocol tls_server_name",
    int="port",
    bool="tls_skip_verify",
    duration="grace_period interval timeout",
    any="headers",
)
_SERVICE = {
    **_fields(
        string="protocol",
        int="internal_port min_machines_running",
        bool="force_https auto_start_machines",
        any="auto_stop_machines processes machine_checks http_options tls_options ports http_checks tcp_checks",
    ),
    "checks": [_CHECK],
    "concurrency": _fields(string="type", int="hard_limit soft_limit"),
}
SCHEMA: Mapping[str, Any] = {
    **_fields(
        string="app primary_region kill_signal console_command host_dedication_id",
        int="swap_size_mb",
        duration="kill_timeout",
        any="checks env experimental files metrics mount mounts processes restart services statics vm",
    ),
    "build": _fields(
        string="build-target builder builtin dockerfile ignorefile image",
        any="args buildpacks compression compression_level settings",
    ),
    "deploy": _fields(
        string="release_command seed_command strategy",
        duration="release_command_timeout wait_timeout",
        any="max_unavailable release_command_vm",
    ),
    "http_service": _SERVICE,
}
_GO_STRUCT = {"http_service": "HTTPService", "deploy": "Deploy", "build": "Build"}
_PYTHON_TYPES: Mapping[str, tuple[type, ...]] = {"string": (str,), "int": (int,), "bool": (bool,)}


class InvalidDocumentError(Exception):
    """flyctl could read the file, but a value has the wrong type."""


@dataclass(frozen=True)
class Document:
    """`name` is the path as it was given, which flyctl repeats."""

    name: str
    path: Path
    data: dict[str, Any]

    def check_types(self) -> None:
        """Raises InvalidDocumentError with the message of Go's decoder."""
        _check(self.data, SCHEMA, "")

    def problems(self) -> list[str]:
        """What `config validate` and `deploy` refuse."""
        strategy = self.data.get("deploy", {}).get("strategy")
        if strategy is None or strategy in STRATEGIES:
            return []
        known = ", ".join(STRATEGIES)
        return [f"unsupported deployment strategy '{strategy}'; Apps v2 supports the following strategies: {known}"]

    def unknown_keys(self) -> list[str]:
        return list(_unknown(self.data, SCHEMA, ""))


def find_document(folder: Path, given: str | None) -> Document:
    """Raises CommandError for a given path without a file, FileNotFoundError without any fly.toml."""
    if given is None:
        if not (folder / DEFAULT_NAME).is_file():
            raise FileNotFoundError(folder / DEFAULT_NAME)
        return read_document(DEFAULT_NAME, folder / DEFAULT_NAME)
    for candidate in (folder / given, folder / given / DEFAULT_NAME):
        if candidate.is_file():
            return read_document(given, candidate)
    raise CommandError(f"config file not found at specified path: {given} (also tried: {given}/{DEFAULT_NAME})")


def read_document(name: str, path: Path) -> Document:
    text = path.read_text(encoding="utf-8")
    try:
        return Document(name, path, tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise CommandError(f"failed loading app config from {name}: {_syntax(text, str(error))}") from error


def _syntax(text: str, message: str) -> str:
    """Where and why, with the lines around it."""
    lines = text.split("\n")
    match = _POSITION.fullmatch(message)
    if match is None or match["row"] is None:
        return message
    row, column = int(match["row"]), int(match["column"])
    first, last = max(1, row - _CONTEXT_LINES), min(len(lines), row + _CONTEXT_LINES)
    shown = [f"row {row} column {column}"]
    for number in range(first, last + 1):
        shown.append(f"{number}| {lines[number - 1]}".rstrip())
        if number == row:
            shown.append(f"{' ' * len(str(number))}| {' ' * (column - 1)}~ {match['reason']}")
    return "\n".join(shown)


def _check(data: Mapping[str, Any], schema: Mapping[str, Any], path: str) -> None:
    for key, value in data.items():
        kind, where = schema.get(key), f"{path}.{key}".lstrip(".")
        if isinstance(kind, Mapping) and isinstance(value, dict):
            _check(value, kind, where)
        elif isinstance(kind, list) and isinstance(value, list):
            for item in value:
                _check(item, kind[0], where)
        elif kind == "duration" and isinstance(value, str):
            _check_duration(value)
        elif isinstance(kind, str) and kind in _PYTHON_TYPES and not _is_a(value, _PYTHON_TYPES[kind]):
            field = f"{_GO_STRUCT[section]}.{where}" if (section := where.split(".")[0]) in _GO_STRUCT else where
            found = _go_type(value)
            raise InvalidDocumentError(f"json: cannot unmarshal {found} into Go struct field {field} of type {kind}")


def _check_duration(value: str) -> None:
    try:
        parse_duration(value)
    except ValueError as error:
        raise InvalidDocumentError(str(error)) from error


def _is_a(value: object, types: tuple[type, ...]) -> bool:
    return isinstance(value, types) and (bool in types or not isinstance(value, bool))


def _go_type(value: object) -> str:
    if isinstance(value, bool):
        return "bool"
    return {str: "string", int: "number", float: "number", list: "array"}.get(type(value), "object")


def _unknown(data: Mapping[str, Any], schema: Mapping[str, Any], path: str) -> Iterator[str]:
    for key, value in data.items():
        kind, where = schema.get(key), f"{path}.{key}".lstrip(".")
        if kind is None:
            yield where
        elif isinstance(kind, Mapping) and isinstance(value, dict):
            yield from _unknown(value, kind, where)
        elif isinstance(kind, list) and isinstance(value, list):
            for item in value:
                yield from _unknown(item, kind[0], where)
