"""A stack's settings as the SDK gets them: every value a string, objects and lists as JSON, some of them secret.

Read from `Pulumi.<stack>.yaml`, or from a conformance vector's JSON (`{"config": {...}, "secret": [...]}`).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from infra.rehearsal import crypto, yaml_text
from infra.rehearsal.project import Declared, Project
from infra.rehearsal.values import Values, secret


class ConfigError(RuntimeError):
    """The stack's settings cannot be used; the message names the file or key and the next step."""


@dataclass(frozen=True)
class StackConfig:
    """`clear`: the file holds its secrets in clear, as a conformance vector's does."""

    values: dict[str, str] = field(default_factory=dict)
    secret_keys: frozenset[str] = frozenset()
    salt: str = ""
    crypter: crypto.Crypter | None = None
    clear: bool = False

    def of_package(self, package: str) -> Values:
        """The settings in a namespace, secret ones marked."""
        found = {key.removeprefix(f"{package}:"): key for key in self.values if key.startswith(f"{package}:")}
        return {
            name: secret(self.values[key]) if key in self.secret_keys else self.values[key]
            for name, key in found.items()
        }

    @property
    def secrets(self) -> set[str]:
        """The texts that nobody may see: the secret values, and the texts inside those that are JSON."""
        found: set[str] = set()
        for key in self.secret_keys & self.values.keys():
            found.add(self.values[key])
            found |= _inner_texts(self.values[key])
        return found


def read_stack_config(path: Path, project: Project, stack: str, environment: Mapping[str, str]) -> StackConfig:
    """With the project's declared settings applied and checked. Raises ConfigError or crypto.SecretsError."""
    document = _read(path)
    if path.suffix == ".json":
        config = _from_vector(path, document)
    else:
        config = _from_stack_file(path, document, project, environment)
    return _with_declared(config, project, stack)


def _read(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text()
    except OSError as error:
        raise ConfigError(
            f"cannot read the stack's settings {path}: {error.strerror}; name the file with --config"
        ) from error
    try:
        document = json.loads(text) if path.suffix == ".json" else yaml_text.load(text)
    except (yaml.YAMLError, ValueError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise ConfigError(f"{path} must hold a mapping with `config`, not {type(document).__name__}")
    return document


def _from_vector(path: Path, document: dict[str, Any]) -> StackConfig:
    values = document.get("config", {})
    if not isinstance(values, dict):
        raise ConfigError(f"{path}: `config` must be an object of settings")
    texts = {str(key): _text(path, str(key), value) for key, value in values.items()}
    return StackConfig(texts, frozenset(document.get("secret", ())), clear=True)


def _from_stack_file(
    path: Path, document: dict[str, Any], project: Project, environment: Mapping[str, str]
) -> StackConfig:
    entries = document.get("config") or {}
    if not isinstance(entries, dict):
        raise ConfigError(f"{path}: `config` must be a mapping of settings, not {entries!r}")
    salt = str(document.get("encryptionsalt") or "")
    has_secrets = any(_has_secure(value) for value in entries.values())
    if has_secrets and not salt:
        raise ConfigError(
            f"{path} has `secure` values and no `encryptionsalt`; only the passphrase provider is supported"
        )
    crypter = crypto.from_passphrase(crypto.passphrase(environment), salt) if salt else None
    values: dict[str, str] = {}
    secret_keys = set()
    for key, value in entries.items():
        full = _full_key(path, str(key), project.name)
        if crypter is not None and _has_secure(value):
            secret_keys.add(full)
            try:
                value = _decrypted(value, crypter)
            except crypto.SecretsError as error:
                raise ConfigError(f"{path}: {full}: {error}") from error
        values[full] = _text(path, full, value)
    return StackConfig(values, frozenset(secret_keys), salt, crypter)


def _full_key(path: Path, key: str, project: str) -> str:
    """`key` alone is the project's own; `ns:config:key` is the former spelling of `ns:key`."""
    parts = key.split(":")
    if len(parts) == 3 and parts[1] == "config":
        parts = [parts[0], parts[2]]
    if len(parts) > 2 or not all(parts):
        raise ConfigError(f"{path}: {key!r} is no setting's name; write <namespace>:<name>")
    return ":".join(parts if len(parts) == 2 else [project, *parts])


def _has_secure(value: object) -> bool:
    if isinstance(value, dict):
        return _is_secure(value) or any(_has_secure(part) for part in value.values())
    return isinstance(value, list) and any(_has_secure(part) for part in value)


def _is_secure(value: dict[str, Any]) -> bool:
    return value.keys() == {"secure"} and isinstance(value["secure"], str)


def _decrypted(value: Any, crypter: crypto.Crypter) -> Any:  # noqa: ANN401 -- any YAML value
    if isinstance(value, dict):
        if _is_secure(value):
            return crypter.decrypt(value["secure"])
        return {key: _decrypted(part, crypter) for key, part in value.items()}
    return [_decrypted(part, crypter) for part in value] if isinstance(value, list) else value


def _text(path: Path, key: str, value: object) -> str:
    """A value as the engine hands it to programs."""
    if value is None:
        raise ConfigError(f"{path}: {key} has no value; give it one or take it out")
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}" if abs(value) < 1e21 else repr(value)
    if isinstance(value, (dict, list)):
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return str(value)


def _inner_texts(text: str) -> set[str]:
    try:
        value = json.loads(text)
    except ValueError:
        return set()

    def walk(part: object) -> set[str]:
        if isinstance(part, dict):
            return set().union(*(walk(one) for one in part.values()))
        if isinstance(part, list):
            return set().union(*(walk(one) for one in part))
        return {part} if isinstance(part, str) else set()

    return walk(value)


def _with_declared(config: StackConfig, project: Project, stack: str) -> StackConfig:
    """Defaults for what the stack leaves out; what is missing or of another type is refused."""
    values, secret_keys, missing = dict(config.values), set(config.secret_keys), []
    for declared in project.declared:
        given = declared.value if declared.default is None else declared.default
        if declared.key not in values and given is None:
            missing.append(declared.key)
            continue
        if declared.key not in values:
            values[declared.key] = _text(project.folder / "Pulumi.yaml", declared.key, given)
        if declared.secret:
            secret_keys.add(declared.key)
        if not _fits(values[declared.key], declared):
            raise ConfigError(
                f"stack {stack!r}: {declared.key} must be of type {_type_name(declared)!r}; "
                f"set it with `pulumi config set {declared.key} <value>`"
            )
    if missing:
        raise ConfigError(
            f"stack {stack!r} is missing {', '.join(missing)}; "
            + "; ".join(f"set it with `pulumi config set {key} <value>`" for key in missing)
        )
    return StackConfig(values, frozenset(secret_keys), config.salt, config.crypter, config.clear)


def _fits(text: str, declared: Declared) -> bool:
    if declared.type in ("", "string"):
        return True
    try:
        return _fits_value(json.loads(text), declared)
    except ValueError:
        return False


def _fits_value(value: object, declared: Declared) -> bool:
    if declared.type == "array":
        items = declared.items
        return isinstance(value, list) and (items is None or all(_fits_value(one, items) for one in value))
    if declared.type == "boolean":
        return isinstance(value, bool)
    if declared.type == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    if declared.type == "number":
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if declared.type == "object":
        return isinstance(value, dict)
    return declared.type in ("", "string") and (declared.type == "" or isinstance(value, str))


def _type_name(declared: Declared) -> str:
    return f"array<{_type_name(declared.items)}>" if declared.items else declared.type
