"""Bases of the API's JSON bodies."""

from pydantic import BaseModel, ConfigDict


class Request(BaseModel):
    """What a client sends: unknown keys are refused, so that a misspelt one is never lost in silence."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Response(BaseModel):
    """What the API answers."""

    model_config = ConfigDict(frozen=True)
