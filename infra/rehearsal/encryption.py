"""Writes an encrypted setting into a stack's YAML, as `pulumi config set --secret` does, keeping its comments."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from infra.rehearsal import crypto, yaml_text

SALT_LINE = "encryptionsalt: "


class EncryptionError(RuntimeError):
    """The value cannot be written; the message names the file and the reason."""


def encrypt_into(path: Path, key: str, text: str, environment: Mapping[str, str]) -> None:
    """Sets `config: {key: {secure: ...}}`; makes the stack's `encryptionsalt` if it has none yet.

    Raises EncryptionError or crypto.SecretsError.
    """
    if not re.fullmatch(r"[\w-]+(?::[\w.-]+)?", key):
        raise EncryptionError(f"{key!r} is no setting's name; write <namespace>:<name>")
    document = path.read_text() if path.exists() else "config:\n"
    passphrase = crypto.passphrase(environment)
    salt = _parsed(path, document).get("encryptionsalt")
    if not salt:
        salt = crypto.new_salt(passphrase)
        document = f"{SALT_LINE}{salt}\n{document}"
    secure = crypto.from_passphrase(passphrase, str(salt)).encrypt(text)
    changed = _with_setting(document, key, secure)
    settings = _parsed(path, changed).get("config") or {}
    if settings.get(key) != {"secure": secure}:
        raise EncryptionError(
            f"{path}: cannot write {key} into its layout; put `{json.dumps(key)}: {{secure: ...}}` there by hand"
        )
    temporary = path.with_name(path.name + ".new")
    temporary.write_text(changed)
    temporary.replace(path)


def _parsed(path: Path, document: str) -> dict[str, Any]:
    try:
        parsed = yaml_text.load(document) or {}
    except yaml.YAMLError as error:
        raise EncryptionError(f"{path} is no YAML: {error}") from error
    if not isinstance(parsed, dict):
        raise EncryptionError(f"{path} must hold a mapping with `config`")
    return parsed


def _with_setting(document: str, key: str, secure: str) -> str:
    """The text with the setting's lines replaced, or added below `config:`."""
    lines = document.splitlines()
    entry = [f"  {key}:", f"    secure: {secure}"]
    try:
        start = next(at for at, line in enumerate(lines) if re.match(r"config:\s*(#.*|\{\})?$", line))
    except StopIteration:
        return "\n".join([*lines, "config:", *entry, ""])
    lines[start] = re.sub(r"\s*\{\}", "", lines[start])
    found = next((at for at, line in enumerate(lines) if at > start and _names(line, key)), None)
    if found is None:
        end = _end_of_block(lines, start, "")
        return "\n".join([*lines[:end], *entry, *lines[end:], ""])
    return "\n".join([*lines[:found], *entry, *lines[_end_of_block(lines, found, "  ") :], ""])


def _names(line: str, key: str) -> bool:
    return re.match(rf"""  ["']?{re.escape(key)}["']?\s*:(\s|$)""", line) is not None


def _end_of_block(lines: list[str], start: int, indent: str) -> int:
    """The place after the last line that belongs to the entry at `start`."""
    end = start + 1
    for at in range(start + 1, len(lines)):
        if lines[at].strip() and not lines[at].startswith(f"{indent} "):
            break
        if lines[at].strip():
            end = at + 1
    return end
