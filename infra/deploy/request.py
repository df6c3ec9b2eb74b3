"""What a step gets on standard input: JSON, checked like any other input."""

import json
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from infra.deploy.errors import DeployError


class Request(BaseModel):
    """Inputs of one step; unknown keys are refused, and values never show in an error.

    `answers`: which form of answer the caller reads; another number is a changed input, which runs the step again.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    answers: int = 1


R = TypeVar("R", bound=Request)


def parse(kind: type[R], text: str) -> R:
    """Raises DeployError that lists every mistake."""
    try:
        return kind.model_validate(json.loads(text or "{}"))
    except json.JSONDecodeError:
        raise DeployError("standard input is not JSON; it must hold the inputs of the step") from None
    except ValidationError as error:
        mistakes = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors(include_input=False)]
        raise DeployError("inputs are wrong: " + "; ".join(mistakes)) from None
