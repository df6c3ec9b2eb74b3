"""A step of `python -m infra.deploy` as a command resource.

`create` is also what an update runs, so every step is idempotent. There are never `triggers`: they replace, and a
replacement runs the old `delete` after the new `create`. Credentials of the clouds come from the ambient environment.
"""

import json
from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi_command import local

PYTHON = ".venv/bin/python"
ANSWERS = 1  # raise it when the answer of a step changes: the state has the old one until a changed input runs it again
ROOT_FROM_PROGRAM = ".."  # commands start in the program's folder, infra/


def deploy_step(
    name: str,
    step: str,
    inputs: Mapping[str, Any],
    opts: pulumi.ResourceOptions,
    *,
    undo: str | None = None,
    source_hash: str | None = None,
    secret: bool = False,
) -> local.Command:
    """`step` and `undo` are words after `python -m infra.deploy`; `inputs` reach them as JSON on stdin.

    A change of `inputs` or `source_hash` runs the step again. `secret` keeps the inputs and all output out of the
    state in clear and out of the log.
    """
    stdin: pulumi.Output[str] = pulumi.Output.json_dumps({**inputs, "answers": ANSWERS}, sort_keys=True)
    if secret:
        stdin = pulumi.Output.secret(stdin)
        opts = pulumi.ResourceOptions.merge(
            opts, pulumi.ResourceOptions(additional_secret_outputs=["stdout", "stderr"])
        )
    return local.Command(
        name,
        create=_command(step),
        delete=_command(undo) if undo else None,
        dir=ROOT_FROM_PROGRAM,
        stdin=stdin,
        environment={"SOURCE_HASH": source_hash} if source_hash else None,
        add_previous_output_in_env=False,
        logging=local.Logging.NONE if secret else local.Logging.STDERR,
        opts=opts,
    )


def _command(words: str) -> str:
    return f"{PYTHON} -m infra.deploy {words}"


def result(command: local.Command, key: str) -> pulumi.Output[str]:
    """One field of the JSON line that a step printed."""
    return command.stdout.apply(lambda line: str(json.loads(line)[key]))
