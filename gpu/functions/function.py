"""What all media functions have in common: a request comes in, an answer goes out, a MediaFailure is an answer.

Any other exception is a fault of ours or of the machine and goes to the caller.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import ValidationError

from gpu.plan.spec import Value
from gpu.plan.validation import Mistake, message_of
from gpu.render.errors import MediaFailure
from gpu.render.produce import OnProgress

Request = TypeVar("Request", bound=Value)
Response = TypeVar("Response", bound=Value)


@dataclass(frozen=True)
class Function(Generic[Request, Response]):
    """One media function: what it takes, what it answers, and the work, which raises MediaFailure."""

    request: type[Request]
    response: type[Response]
    work: Callable[[Request, OnProgress], Response]

    def answer(
        self,
        given: object,
        on_progress: OnProgress = lambda progress: None,
        within: AbstractContextManager[None] | None = None,
    ) -> Response:
        """`given` is a request, its dict or its JSON; the work is done inside the context `within`.

        An exception, a signal or a response with an error leaves no temporary file, and no object but the sheets of a
        storyboard whose index could not be written.
        """
        try:
            request = parse(self.request, given)
            with within or nullcontext():
                return self.work(request, on_progress)
        except MediaFailure as failure:
            return self.response.model_validate({"error": failure.error})


def parse(kind: type[Request], request: object) -> Request:
    """Takes a dict, or a string or bytes of JSON.

    Raises MediaFailure `bad_spec` that names the first wrong fields, without the values: URLs among them are secrets.
    """
    try:
        return kind.model_validate_json(request) if isinstance(request, str | bytes) else kind.model_validate(request)
    except ValidationError as error:
        raise MediaFailure("bad_spec", message_of(_mistakes(error))) from None


def _mistakes(error: ValidationError) -> list[Mistake]:
    """A list that lost its wrong members may seem too short as well; that is not told."""
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    around = {one["loc"][:length] for one in faults for length in range(len(one["loc"]))}
    return [
        Mistake(".".join(map(str, one["loc"])) or "request", one["msg"].removeprefix("Value error, "))
        for one in faults
        if one["type"] != "too_short" or one["loc"] not in around
    ]
