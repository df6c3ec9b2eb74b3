"""Finds the outputs of other stacks of this machine: their states lie beside this one, as `<stack>.json`."""

from collections.abc import Callable
from pathlib import Path

from infra.rehearsal.providers.stacks import OutputsOf
from infra.rehearsal.state import State
from infra.rehearsal.urns import stack_urn
from infra.rehearsal.values import Values


def outputs_beside(own: Path, project: str, stack: str, load: Callable[[Path], State]) -> OutputsOf:
    """`load` reads a state; the answer raises LookupError for a stack that has none."""

    def outputs_of(asked_project: str, asked_stack: str) -> Values:
        path = own if asked_stack == stack else own.with_name(f"{asked_stack}.json")
        if not path.exists():
            raise LookupError(f"there is no state {path}; bring that stack up first")
        found = load(path).resources.get(stack_urn(asked_stack, asked_project or project))
        if found is None:
            raise LookupError(f"{path} is not a state of stack {asked_stack!r} of {asked_project or project!r}")
        return found.outputs

    return outputs_of
