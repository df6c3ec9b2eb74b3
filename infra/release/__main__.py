"""python -m infra.release before|roll-back|pages-preview|remove-pages-preview|fields|plan: what the workflows call."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from infra.config import ConfigError
from infra.release import pages_preview
from infra.release.deployed import Deployed, deployed
from infra.release.engine import PulumiCli
from infra.release.errors import ReleaseError
from infra.release.fields import fields
from infra.release.plan_text import output, shortened
from infra.release.roll_back import roll_back, verify_outputs
from infra.stack_file import config_of


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status: 0 done, 1 failed, 2 misused. The last line of standard error says what happened."""
    options = _parser().parse_args(arguments)
    try:
        _run(options)
    except (ReleaseError, ConfigError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _run(options: argparse.Namespace) -> None:
    if options.verb == "before":
        found = deployed(PulumiCli(), options.stack)
        print(found.to_json() if found else "{}")
    elif options.verb == "roll-back":
        before = Deployed.from_json(_text(options.before))
        print(roll_back(options.stack, before, PulumiCli, verify_outputs), file=sys.stderr)
    elif options.verb == "pages-preview":
        print(json.dumps(pages_preview.request(config_of(options.stack), options.number)))
    elif options.verb == "remove-pages-preview":
        count = pages_preview.remove(config_of(options.stack), options.number)
        print(f"{count} deployment(s) of {pages_preview.branch_of(options.number)} removed", file=sys.stderr)
    elif options.verb == "plan":
        print(output(options.name, shortened(sys.stdin.buffer.read().decode(errors="replace"))))
    else:
        print("\n".join(fields(sys.stdin.read(), options.names)))


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError as error:
        raise ReleaseError(f"{path} cannot be read: {error.strerror}") from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m infra.release", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    before = verbs.add_parser("before", help="print what is deployed, to come back to; {} if nothing is")
    back = verbs.add_parser("roll-back", help="deploy what `before` printed")
    back.add_argument("before", type=Path, metavar="BEFORE.json")
    for name, about in (
        ("pages-preview", "print the inputs of `infra.deploy pages deploy` for a pull request"),
        ("remove-pages-preview", "delete the deployments of a pull request"),
    ):
        preview = verbs.add_parser(name, help=about)
        preview.add_argument("number", type=int, metavar="PULL_REQUEST")
        _add_stack(preview)
    _add_stack(before)
    _add_stack(back)
    passed = verbs.add_parser("fields", help="print fields of a JSON object on standard input as NAME=VALUE lines")
    passed.add_argument("names", nargs="+", metavar="NAME")
    plan = verbs.add_parser("plan", help="print a plan on standard input, shortened, as the output NAME of a step")
    plan.add_argument("name", metavar="NAME")
    return parser


def _add_stack(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("-s", "--stack", required=True)


if __name__ == "__main__":
    sys.exit(main())
