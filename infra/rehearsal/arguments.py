"""The verbs and options of the command line."""

import argparse
from argparse import Namespace
from collections.abc import Callable, Mapping
from pathlib import Path

Verb = Callable[[Namespace], int]
"""Its answer is the exit status."""


def parser(verbs: Mapping[str, tuple[Verb, str]], about: str | None) -> argparse.ArgumentParser:
    """`verbs`: name -> what does it, what it does."""
    made = argparse.ArgumentParser(prog="python -m infra.rehearsal", description=about)
    commands = made.add_subparsers(dest="verb", required=True, metavar="VERB")
    for name, (do, what) in verbs.items():
        verb = commands.add_parser(name, help=what, description=what)
        verb.set_defaults(do=do)
        _add_options(verb)
        if name == "encrypt":
            verb.add_argument("key", metavar="KEY", help="the setting, as namespace:name or the project's own name")
    return made


def _add_options(verb: argparse.ArgumentParser) -> None:
    add = verb.add_argument
    add("--program", type=Path, help="folder with __main__.py (default: `main` of Pulumi.yaml)")
    add("--stack", default="local", help="(default: local)")
    add("--state", type=Path, help="state file (default: .local/stacks/<stack>.json)")
    add("--config", type=Path, help="settings (default: Pulumi.<stack>.yaml); .json: a conformance vector's")
    add("--project", help="(default: `name` of Pulumi.yaml)")
    add("--result", type=Path, metavar="FILE", help="write what was done as JSON")
    add("--json", action="store_true", help="print JSON; progress goes to stderr")
    add("--parallel", type=int, default=8, metavar="N", help="operations at once (default: 8)")
    add("--continue-on-error", action="store_true", help="go on with what does not need what failed")
    add("--exclude-protected", action="store_true", help="destroy: spare protected resources and what they need")
    add("--env-file", type=Path, metavar="FILE", help="NAME=VALUE lines for commands and the program, hidden in output")
    add(
        "--policy-pack",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="preview, up: judge the plan by it",
    )
    add(
        "--target", action="append", default=[], metavar="URN", help="touch only this (`*`, `**`: any part); repeatable"
    )
    add("--target-dependents", action="store_true", help="and what needs it")
    add("--preview-only", action="store_true", help="refresh: only say what is other")
    add("--expect-no-changes", action="store_true", help="refresh: fail if anything is other")
    add("--refresh", action="store_true", help="preview, up: refresh first")
    add("--show-secrets", action="store_true", help="outputs: print secret ones in clear")
    add("--show-sames", action="store_true", help="preview --json: also what stays as it is")
    add("--show-replacement-steps", action="store_true", help="preview --json: also the parts of a replacement")
    add("--message", default="", metavar="TEXT", help="why, for the history (default: the commit's subject)")
    add("--yes", action="store_true", help="accepted for likeness with pulumi; nothing is asked")
