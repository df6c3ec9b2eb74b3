"""Looks into libraries, verifies them, restores versions, erases users.

The environment says where, as for `python -m app`.
Ends with 0: done; 1: refused, failed, or damage found; 2: wrong use or environment.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Coroutine, Sequence
from datetime import datetime
from typing import Any

from app.kit.clock import now, parse_rfc3339
from app.kit.errors import AppError
from app.kit.leave import leave
from app.kit.owner import Owner, parse_owner
from app.library.commands import erase, log, restore, show, verify
from app.library.commands.desk import REFUSED, Consent, Desk
from app.settings import Settings, SettingsError, load_settings
from app.storage.keys import Keys
from app.storage.objects import R2ObjectStore

BAD_USE = 2


def main(words: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(words)
    try:
        settings = load_settings(os.environ)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return BAD_USE
    try:
        return asyncio.run(_run(settings, options))
    except AppError as error:
        print(f"{error.code}: {error}", file=sys.stderr)
        return REFUSED


async def _run(settings: Settings, options: argparse.Namespace) -> int:
    desk = Desk(R2ObjectStore(settings.r2), Keys(settings.app_env), now, print)
    command: Coroutine[Any, Any, int] = options.run(desk, options)
    return await command


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m app.library", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    one = commands.add_parser("log", help="versions, newest first")
    _add_owner(one)
    one.add_argument("--limit", type=_number, default=50, metavar="N")
    one.set_defaults(run=lambda desk, options: log.run(desk, _owner(options), options.limit))

    one = commands.add_parser("show", help="facts of one version, and its rows by table")
    _add_owner(one)
    one.add_argument("--version", type=_number, metavar="N", help="default: the newest")
    one.set_defaults(run=lambda desk, options: show.run(desk, _owner(options), options.version))

    one = commands.add_parser("verify", help="read and check every record")
    _add_owner(one)
    one.set_defaults(run=lambda desk, options: verify.run(desk, _owner(options)))

    one = commands.add_parser("restore", help="make an old version the newest")
    _add_owner(one)
    wanted = one.add_mutually_exclusive_group(required=True)
    wanted.add_argument("--version", type=_number, metavar="N", dest="wanted")
    wanted.add_argument("--time", type=_time, metavar="RFC3339", dest="wanted", help="the newest version then")
    _add_consent(one)
    one.set_defaults(run=lambda desk, options: restore.run(desk, _owner(options), options.wanted, _consent(options)))

    one = commands.add_parser("erase", help="remove all that is stored of a user; run it again 48 hours later")
    one.add_argument("--user", type=_user, required=True, metavar="U")
    one.add_argument("--again", action="store_true", help="also what was committed since an erasure")
    _add_consent(one)
    one.set_defaults(run=lambda desk, options: erase.run(desk, options.user, _consent(options), again=options.again))
    return parser


def _add_owner(command: argparse.ArgumentParser) -> None:
    command.add_argument("--user", type=_user, required=True, metavar="U")
    command.add_argument("--profile", type=_user, default="default", metavar="P")


def _add_consent(command: argparse.ArgumentParser) -> None:
    command.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
    command.add_argument("--yes", action="store_true", help="do it")


def _owner(options: argparse.Namespace) -> Owner:
    return parse_owner(options.user, options.profile)


def _consent(options: argparse.Namespace) -> Consent:
    return Consent(yes=options.yes, dry_run=options.dry_run)


def _user(text: str) -> str:
    """The name of a user, or of a profile: both have the same form."""
    try:
        return parse_owner(text, text).user_id
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1")
    return int(text)


def _time(text: str) -> datetime:
    try:
        moment = parse_rfc3339(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no time such as 2026-11-22T09:30:00Z")
    return moment


if __name__ == "__main__":
    leave(main())
