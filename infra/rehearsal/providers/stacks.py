"""`pulumi:pulumi:StackReference`: the outputs of a stack of this machine, as its state file has them.

Source: pulumi/pulumi, pkg/resource/deploy/builtins.go, readStackReference.
"""

from collections.abc import Callable

from infra.rehearsal.providers.base import ProviderError
from infra.rehearsal.values import Values, plain, secret_texts

TYPE = "pulumi:pulumi:StackReference"

OutputsOf = Callable[[str, str], Values]
"""Project ("" for the own one) and stack -> outputs. Raises LookupError if there is no such state."""


def no_stacks(project: str, stack: str) -> Values:
    """For runs that know of no other state."""
    raise LookupError(f"no state of stack {stack!r}")


def read_stack(name: object, outputs_of: OutputsOf) -> Values:
    """What the reference answers; `name` is `stack`, `project/stack` or `organization/project/stack`."""
    text = str(plain(name)) if isinstance(name, str | dict) else ""
    *above, stack = text.split("/")
    try:
        outputs = outputs_of(above[-1] if above else "", stack)
    except LookupError as error:
        raise ProviderError(f"unknown stack {text!r}: {error.args[0]}") from error
    hidden = sorted(key for key, value in outputs.items() if secret_texts(value))
    return {"name": text, "outputs": outputs, "secretOutputNames": list(hidden)}
