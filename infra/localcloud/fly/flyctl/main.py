"""Finds the command, reads its flags, runs it; what goes wrong becomes an exit code: 1, or 127 if interrupted."""

import importlib
from collections.abc import Callable, Mapping
from typing import TextIO

from infra.localcloud.fly.flyctl.errors import CommandError
from infra.localcloud.fly.flyctl.flags import FlagError, Values, flags_of, parse
from infra.localcloud.fly.flyctl.missing import MISSING
from infra.localcloud.fly.flyctl.run import Run

FAILED = 1
INTERRUPTED = 127

# Command -> module in `commands` and function there.
COMMANDS: Mapping[tuple[str, ...], tuple[str, str]] = {
    ("version",): ("version", "version"),
    ("apps", "create"): ("apps", "create"),
    ("apps", "destroy"): ("apps", "destroy"),
    ("apps", "list"): ("apps", "list_all"),
    ("auth", "whoami"): ("version", "whoami"),
    ("status",): ("status", "status"),
    ("secrets", "list"): ("secrets", "list_all"),
    ("secrets", "import"): ("secrets", "import_all"),
    ("secrets", "set"): ("secrets", "set_some"),
    ("secrets", "unset"): ("secrets", "unset"),
    ("secrets", "deploy"): ("secrets", "deploy_staged"),
    ("deploy",): ("deploy", "deploy"),
    ("config", "validate"): ("config", "validate"),
    ("scale", "count"): ("scale", "count"),
    ("scale", "show"): ("scale", "show"),
    ("scale", "vm"): ("scale", "vm"),
    ("machine", "list"): ("machines", "list_all"),
    ("machine", "start"): ("machines", "start"),
    ("machine", "stop"): ("machines", "stop"),
    ("machine", "destroy"): ("machines", "destroy"),
    ("releases",): ("releases", "list_all"),
    ("certs", "add"): ("certs", "add"),
    ("certs", "list"): ("certs", "list_all"),
    ("certs", "show"): ("certs", "show"),
    ("certs", "remove"): ("certs", "remove"),
    ("ips", "list"): ("ips", "list_all"),
    ("ips", "allocate-v4"): ("ips", "allocate_v4"),
    ("ips", "allocate-v6"): ("ips", "allocate_v6"),
    ("logs",): ("logs", "logs"),
}
# Other names of the same commands, as the real flyctl has them.
ALIASES: Mapping[tuple[str, ...], tuple[str, ...]] = {
    ("apps", "delete"): ("apps", "destroy"),
    ("apps", "ls"): ("apps", "list"),
    ("machine", "ls"): ("machine", "list"),
    ("machine", "rm"): ("machine", "destroy"),
    ("machines", "list"): ("machine", "list"),
    ("secrets", "ls"): ("secrets", "list"),
    ("certs", "create"): ("certs", "add"),
    ("certs", "check"): ("certs", "show"),
    ("certs", "delete"): ("certs", "remove"),
    ("ips", "ls"): ("ips", "list"),
}


def main(argv: list[str], *, env: Mapping[str, str], stdin: TextIO, stdout: TextIO, stderr: TextIO) -> int:
    """The exit status; everything that the command reads and writes is passed in."""
    try:
        command, rest = _find(argv)
        try:
            flags, arguments = parse(rest, flags_of(command))
        except FlagError as error:
            stdout.write(f"Usage:\n  flyctl {' '.join(command)} [flags]\n\nFlags:\n{error.known}\n")
            raise CommandError(str(error)) from error
        _refuse_missing(command, flags)
        _function(command)(Run(flags, arguments, env, stdin, stdout, stderr))
    except CommandError as error:
        stdout.flush()
        stderr.write("\n".join([f"Error: {error}", *error.details]) + "\n")
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


def _find(argv: list[str]) -> tuple[tuple[str, ...], list[str]]:
    for length in (2, 1):
        words = tuple(argv[:length])
        command = ALIASES.get(words, words)
        if command in COMMANDS:
            return command, argv[length:]
    name = " ".join(word for word in argv[:2] if not word.startswith("-"))
    known = ", ".join(" ".join(words) for words in COMMANDS)
    raise CommandError(f'unknown command "{name}" for "flyctl"', [f"The loopback flyctl knows: {known}"])


def _refuse_missing(command: tuple[str, ...], flags: Values) -> None:
    refused = sorted(MISSING.get(command, frozenset()) & flags.given.keys())
    if refused:
        raise CommandError(f"the loopback flyctl {' '.join(command)} does not have {', '.join(refused)}")


def _function(command: tuple[str, ...]) -> Callable[[Run], None]:
    module, name = COMMANDS[command]
    function: Callable[[Run], None] = getattr(
        importlib.import_module(f"infra.localcloud.fly.flyctl.commands.{module}"), name
    )
    return function
