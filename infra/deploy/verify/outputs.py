"""The outputs of a stack, read from a file; what is wrong with the file is one sentence."""

import json
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

HIDDEN = "[secret]"
Url = Annotated[str, Field(pattern=r"^(http|ws)s?://[^/\s?#]+(/[^\s?#]*)?$")]


class OutputsError(Exception):
    """The file is missing, no JSON, or no outputs of this program."""


class Outputs(BaseModel):
    """What verification needs; other outputs are ignored. `verify_token` None: a development stack."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    app_url: Url
    api_url: Url
    health_url: Url
    ws_url: Url
    landing_url: Url | None = None
    pages_deployment: Url | None = None
    version: str | None = None
    image: str = ""
    fly_app: str = ""
    gpu_app: str = ""
    verify_token: SecretStr | None = None

    @property
    def token(self) -> str | None:
        """The token as text; `[secret]` when the outputs were written without their secrets."""
        return self.verify_token.get_secret_value() or None if self.verify_token else None


def load(path: Path) -> Outputs:
    """Raises OutputsError."""
    try:
        values = json.loads(path.read_text())
    except OSError as error:
        raise OutputsError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError:
        raise OutputsError(f"{path} is no JSON; write it with `pulumi stack output --json --show-secrets`") from None
    return parse(values, str(path))


def parse(values: Any, where: str) -> Outputs:  # noqa: ANN401 -- JSON of any form
    """Raises OutputsError, which names `where` they come from."""
    if not isinstance(values, dict):
        raise OutputsError(f"{where} holds no object of outputs")
    try:
        # A stack says "" for what it does not have.
        return Outputs.model_validate({name: value for name, value in values.items() if value != ""})
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, each['loc']))}: {each['msg']}"
            for each in error.errors(include_input=False, include_context=False, include_url=False)
        )
        raise OutputsError(f"{where} does not hold the outputs of a stack that is up: {wrong}") from None
