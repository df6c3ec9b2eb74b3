"""python -m infra.local up [VIDEO] | down | dev | smoke: what the Makefile calls."""

import argparse
import json
import sys
from pathlib import Path

from infra.config import ConfigError
from infra.deploy import verify
from infra.deploy.errors import DeployError
from infra.local import cloud
from infra.local.apply import ApplyError
from infra.local.console import heading, say
from infra.local.dev import DevError, dev
from infra.local.paths import OUTPUTS, SAMPLE
from infra.local.up import SampleError, up


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.local", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("up").add_argument("video", nargs="?", type=Path)
    for name in ("down", "dev", "smoke"):
        commands.add_parser(name)
    options = parser.parse_args()
    try:
        return _run(options)
    except (cloud.CloudError, ApplyError, ConfigError, DeployError, DevError, SampleError) as error:
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
    elif not OUTPUTS.is_file() or not json.loads(OUTPUTS.read_text()):
        raise DeployError("the local stack has no outputs yet: run `make up` first")
    else:
        return verify.main([str(OUTPUTS), *([str(SAMPLE)] if SAMPLE.is_file() else [])])
    return 0


if __name__ == "__main__":
    sys.exit(main())
