"""What a result says of the upscaler that made it. Pydantic only, so that a contract may hold it."""

from gpu.plan.spec import Answered


class UpscalerUsed(Answered):
    """`ai` tells whether a network made the pictures; `reason` is a sentence for the user that says why this one."""

    name: str
    ai: bool
    reason: str
