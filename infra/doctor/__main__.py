"""python -m infra.doctor STACK | --outputs FILE: what ails a stack, and what to do. Credentials are ambient."""

import argparse
import os
import sys
from pathlib import Path

from infra.config import ConfigError
from infra.deploy.errors import DeployError
from infra.deploy.verify.outputs import OutputsError, load, parse
from infra.doctor import local
from infra.doctor.command import see
from infra.doctor.stacks import settings, stack_outputs


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.doctor", description=__doc__)
    chosen = parser.add_mutually_exclusive_group(required=True)
    chosen.add_argument("stack", nargs="?", metavar="STACK")
    chosen.add_argument("--outputs", type=Path, metavar="FILE")
    options = parser.parse_args(words)
    try:
        if options.outputs:
            return see(load(options.outputs), "STACK", account_id=os.environ.get("CLOUDFLARE_ACCOUNT_ID", ""))
        if options.stack == local.STACK:
            return local.see_local()
        outputs = parse(stack_outputs(options.stack), f"the stack {options.stack}")
        config = settings(options.stack)
        return see(outputs, options.stack, account_id=config.account_id, config=config)
    except (DeployError, OutputsError, ConfigError) as error:
        print(f"doctor: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
