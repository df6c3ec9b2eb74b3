"""python -m infra.local up [VIDEO] | down | dev | smoke [STACK] | doctor [STACK]: what the Makefile calls."""

import argparse
import sys
from pathlib import Path

from infra.config import ConfigError
from infra.deploy.errors import DeployError
from infra.deploy.verify.command import run as verify
from infra.deploy.verify.outputs import OutputsError, parse
from infra.doctor.__main__ import main as doctor
from infra.doctor.local import STACK, local_outputs
from infra.doctor.stacks import stack_outputs
from infra.local import cloud
from infra.local.apply import ApplyError
from infra.local.console import heading, say
from infra.local.dev import DevError, dev
from infra.local.up import SampleError, up


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.local", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("up").add_argument("video", nargs="?", type=Path)
    for name in ("smoke", "doctor"):
        commands.add_parser(name).add_argument("stack", nargs="?", default=STACK)
    for name in ("down", "dev"):
        commands.add_parser(name)
    options = parser.parse_args()
    try:
        return _run(options)
    except (cloud.CloudError, ApplyError, ConfigError, DeployError, DevError, OutputsError, SampleError) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted; run the same command again to go on", file=sys.stderr)
        return 130


def _run(options: argparse.Namespace) -> int:
    if options.command == "up":
        if options.video and not options.video.is_file():
            raise DeployError(f"{options.video} is not a file")
        up(options.video)
    elif options.command == "down":
        heading("local cloud")
        say("stopped" if cloud.stop() else "was not running")
    elif options.command == "dev":
        dev()
    elif options.command == "doctor":
        return doctor([options.stack])
    elif options.stack == STACK:
        return verify(local_outputs())
    else:
        return verify(parse(stack_outputs(options.stack), f"the stack {options.stack}"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
