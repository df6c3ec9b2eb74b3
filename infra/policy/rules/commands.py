"""Command resources: what makes them dangerous in the engine's hands."""

from collections.abc import Iterator

from infra.policy.model import Context, PlannedResource, ResourceRule
from infra.policy.steps import is_command
from infra.policy.values import Secret


def _no_triggers_with_delete(resource: PlannedResource, context: Context) -> Iterator[str]:
    if is_command(resource) and resource.inputs.get("triggers") and resource.inputs.get("delete"):
        yield "it has triggers and delete: a trigger replaces, and then the old delete runs after the new create"


def _no_previous_output(resource: PlannedResource, context: Context) -> Iterator[str]:
    if is_command(resource) and resource.inputs.get("addPreviousOutputInEnv") is not False:
        yield "add_previous_output_in_env is not False: a long log in the environment ends in E2BIG"


def _secret_steps_are_silent(resource: PlannedResource, context: Context) -> Iterator[str]:
    if not is_command(resource) or not isinstance(resource.inputs.get("stdin"), Secret):
        return
    for output in ("stdout", "stderr"):
        if output not in resource.additional_secret_outputs:
            yield f"its stdin is secret and its {output} is not: what it prints would lie in the state in clear"
    if resource.inputs.get("logging") != "none":
        yield "its stdin is secret and its logging is not none: what it prints would be in the log"


RULES = (
    ResourceRule(
        name="no-triggers-with-delete",
        description="A command never has triggers together with delete.",
        remedy='put the content hash into environment={"SOURCE_HASH": ...} and leave triggers out',
        check=_no_triggers_with_delete,
    ),
    ResourceRule(
        name="no-previous-output-in-environment",
        description="A command does not get its former output as environment variables.",
        remedy="pass add_previous_output_in_env=False",
        check=_no_previous_output,
    ),
    ResourceRule(
        name="secret-steps-are-silent",
        description="A command with a secret on its standard input shows nothing of what it prints.",
        remedy='use additional_secret_outputs=["stdout", "stderr"] and logging=NONE: deploy_step(secret=True) does',
        check=_secret_steps_are_silent,
    ),
)
