"""The `pulumi` command line on top of `python -m infra.rehearsal`; a verb or flag that it does not know is an error.

State and history are in the folder that PULUMI_BACKEND_URL (file://) names, so every working tree shares them.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

CREDENTIALS = "infra/local.env"


def main(words: list[str]) -> int:
    options = _parser().parse_args(words)
    return int(options.do(options))


def up(options: argparse.Namespace) -> int:
    return _rehearse("up", options, "--yes")


def preview(options: argparse.Namespace) -> int:
    return _rehearse("preview", options, *(["--json"] if options.json else []))


def refresh(options: argparse.Namespace) -> int:
    return _rehearse("refresh", options, "--preview-only", "--expect-no-changes")


def output(options: argparse.Namespace) -> int:
    return _rehearse("outputs", options, "--json", *(["--show-secrets"] if options.show_secrets else []))


def history(options: argparse.Namespace) -> int:
    """The rehearsal prints all of it; this verb has pages."""
    done = _run("history", options, ["--json"], stdout=subprocess.PIPE)
    if done.returncode == 0:
        sys.stdout.write(json.dumps(json.loads(done.stdout)[: options.page_size], indent=2) + "\n")
    return done.returncode


def select(options: argparse.Namespace) -> int:
    return 0 if Path(f"Pulumi.{options.name}.yaml").exists() else 255


def config_set(options: argparse.Namespace) -> int:
    path = options.config_file or Path(f"Pulumi.{options.stack}.yaml")
    document = yaml.safe_load(path.read_text())
    document["config"][options.key] = options.value
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    return 0


def _rehearse(verb: str, options: argparse.Namespace, *more: str) -> int:
    return _run(verb, options, more).returncode


def _run(
    verb: str, options: argparse.Namespace, more: Sequence[str], stdout: int | None = None
) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "infra.rehearsal", verb, "--stack", options.stack]
    command += ["--state", str(_folder() / f"{options.stack}.json"), "--env-file", CREDENTIALS, *more]
    for flag, file in (("--config", "config_file"), ("--policy-pack", "policy_pack")):
        given = getattr(options, file, None)
        command += [flag, str(given)] if given else []
    return subprocess.run(command, stdout=stdout, text=True, check=False)


def _folder() -> Path:
    url = urlsplit(os.environ["PULUMI_BACKEND_URL"])
    if url.scheme != "file":
        raise SystemExit(f"PULUMI_BACKEND_URL is {url.geturl()!r}: here it must be a folder, file://...")
    return Path(url.path)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="pulumi", allow_abbrev=False)
    verbs = parser.add_subparsers(required=True)
    _verb(verbs, "up", up, "--yes", "--skip-preview", files=("--config-file", "--policy-pack"))
    look = _verb(
        verbs, "preview", preview, "--json", "--expect-no-changes", "--diff", files=("--config-file", "--policy-pack")
    )
    look.add_argument("--color", choices=("never",))
    _verb(verbs, "refresh", refresh, "--preview-only", "--expect-no-changes", "--diff")
    stack = verbs.add_parser("stack", allow_abbrev=False).add_subparsers(required=True)
    _verb(stack, "output", output, "--json", "--show-secrets")
    _verb(stack, "history", history, "--json").add_argument("--page-size", type=int, default=10)
    chosen = stack.add_parser("select", allow_abbrev=False)
    chosen.add_argument("name")
    chosen.add_argument("--create", action="store_true")
    chosen.add_argument("--secrets-provider")
    chosen.set_defaults(do=select)
    config = verbs.add_parser("config", allow_abbrev=False).add_subparsers(required=True)
    setting = _verb(config, "set", config_set, files=("--config-file",))
    setting.add_argument("key")
    setting.add_argument("value")
    return parser


def _verb(verbs: Any, name: str, do: Any, *flags: str, files: tuple[str, ...] = ()) -> argparse.ArgumentParser:
    verb: argparse.ArgumentParser = verbs.add_parser(name, allow_abbrev=False)
    verb.set_defaults(do=do)
    verb.add_argument("--stack", required=True)
    for flag in (*flags, "--non-interactive"):
        verb.add_argument(flag, action="store_true")
    for flag in files:
        verb.add_argument(flag, type=Path)
    return verb


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
