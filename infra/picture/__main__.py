"""python -m infra.picture [--stack STACK] [-o FILE]: draws a stack from its plan; both clouds' stacks without one."""

import argparse
import sys
from pathlib import Path

from infra.fly_config import COMMITTED_STACKS
from infra.picture.draw import picture
from infra.picture.layout import LayoutError
from infra.picture.plan import PlanError
from infra.sources import ROOT


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.picture", description="draws a stack from its plan")
    parser.add_argument("--stack", help=f"a stack with a Pulumi.STACK.yaml; default: {' and '.join(COMMITTED_STACKS)}")
    parser.add_argument("-o", "--output", type=Path, help="default: docs/stack-STACK.svg")
    given = parser.parse_args(words)
    if given.output and not given.stack:
        parser.error("-o needs --stack: without one there are two pictures")
    for stack in [given.stack] if given.stack else COMMITTED_STACKS:
        target = given.output or committed(stack)
        try:
            target.write_text(picture(stack))
        except (FileNotFoundError, PlanError, LayoutError) as error:
            print(f"no picture of {stack}: {error}", file=sys.stderr)
            return 1
        print(target)
    return 0


def committed(stack: str) -> Path:
    """Where the picture of a stack is kept."""
    return ROOT / f"docs/stack-{stack}.svg"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
