"""python -m infra.deploy fly|pages|modal STEP: inputs as JSON on stdin, log on stderr, one JSON line on stdout.

Every step is idempotent (probe, act, verify) and may be killed and run again at any moment.
"""

import importlib
import json
import sys

from infra.deploy.errors import DeployError

STEPS = {
    "fly": ("app", "secrets", "deploy", "scale", "certificate", "remove-certificate", "destroy-app"),
    "pages": ("deploy",),
    "modal": ("secret", "deploy", "stop", "delete-secret"),
    "verify": (),
}


def main(words: list[str]) -> int:
    if words and words[0] == "verify":
        return int(importlib.import_module("infra.deploy.verify").main(words[1:]))
    if len(words) != 2 or words[1] not in STEPS.get(words[0], ()):
        known = "\n".join(f"  {tool} {step}" for tool, steps in STEPS.items() for step in steps or ("OUTPUTS.json",))
        print(f"usage: python -m infra.deploy TOOL STEP < inputs.json\n{known}", file=sys.stderr)
        return 2
    tool, step = words
    module = importlib.import_module(f"infra.deploy.{tool}")
    try:
        answer = module.STEPS[step](sys.stdin.read())
    except DeployError as error:
        # The reason again as the last line: an engine may bury what came before it.
        print(f"{tool} {step}: {error}", file=sys.stderr)
        return 1
    print(json.dumps(answer, sort_keys=True))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
