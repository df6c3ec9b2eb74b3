"""A rehearsal talks to this machine only: what would lead elsewhere is refused, cloud credentials are kept away."""

import ipaddress
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

CLOUD_PREFIXES = ("CLOUDFLARE_", "FLY_", "MODAL_", "AWS_", "STRIPE_")
"""Variables of this machine's owner, which may be real credentials."""

NOWHERE = dict.fromkeys(
    ("CLOUDFLARE_API_BASE_URL", "FLY_API_BASE_URL", "FLY_FLAPS_BASE_URL", "FLY_UIEX_BASE_URL", "MODAL_SERVER_URL"),
    "http://127.0.0.1:9",
)
"""Where the clouds' tools look when a stack names no address: a closed port of this machine, never the real cloud."""

WITHHELD = frozenset({"PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"})
"""Opens every secret of the stack; no command needs it."""


class UnsafeError(RuntimeError):
    """Something would leave this machine; the message names the key and what to set instead."""


class EnvFileError(RuntimeError):
    """The file of variables cannot be read; the message names the line."""


@dataclass(frozen=True)
class Surroundings:
    """`commands`: what commands and the program see. `cloud`: where the Cloudflare provider looks.

    `passphrase`: the variables that open the stack's secrets. `secrets`: the values that nobody may see.
    """

    commands: dict[str, str]
    cloud: dict[str, str]
    passphrase: dict[str, str]
    secrets: frozenset[str]


def is_loopback(address: str) -> bool:
    """Whether an http(s) or gRPC URL, or a bare host and port, names this machine."""
    host = urlsplit(address if "://" in address else f"//{address}").hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_addresses(values: Mapping[str, str]) -> None:
    """Raises UnsafeError if a setting whose name ends in `Url` or `Endpoint` is not a loopback address."""
    for key, text in values.items():
        for name, address in _addresses(key, text):
            if address and not is_loopback(address):
                raise UnsafeError(
                    f"{name} is {address!r}: a rehearsal only talks to this machine; "
                    "rehearse a stack whose addresses are loopback (127.0.0.1), or use Pulumi for this one"
                )


def _addresses(key: str, text: str) -> Iterator[tuple[str, str]]:
    if key.lower().endswith(("url", "endpoint")):
        yield key, text
    if text.startswith(("{", "[")):
        try:
            yield from _nested(key, json.loads(text))
        except ValueError:
            return


def _nested(key: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _nested(f"{key}.{name}", part)
    elif isinstance(value, list):
        for at, part in enumerate(value):
            yield from _nested(f"{key}[{at}]", part)
    elif isinstance(value, str) and key.lower().endswith(("url", "endpoint")):
        yield key, value


def surroundings(environment: Mapping[str, str], env_file: Path | None) -> Surroundings:
    """The environment without cloud credentials, plus the file's own. Raises EnvFileError."""
    given = read_env_file(env_file) if env_file else {}
    kept = {key: value for key, value in environment.items() if not key.startswith(CLOUD_PREFIXES)}
    cloud = {key: value for key, value in environment.items() if key.startswith("CLOUDFLARE_")}
    commands = {key: value for key, value in {**kept, **NOWHERE, **given}.items() if key not in WITHHELD}
    secrets = {key: value for key, value in {**environment, **given}.items() if key in WITHHELD}
    return Surroundings(commands, {**cloud, **given}, secrets, frozenset(given.values()))


def read_env_file(path: Path) -> dict[str, str]:
    """NAME=VALUE lines; blank lines and those that begin with # are skipped, one pair of quotes is taken off."""
    try:
        lines = path.read_text().splitlines()
    except OSError as error:
        raise EnvFileError(f"--env-file {path}: {error.strerror}") from error
    found: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        text = line.strip().removeprefix("export ")
        if not text or text.startswith("#"):
            continue
        name, separator, value = text.partition("=")
        if not separator or not name.isidentifier():
            raise EnvFileError(f"--env-file {path}, line {number}: not of the form NAME=VALUE")
        if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
            value = value[1:-1]
        found[name] = value
    return found
