"""What the calls of the private API take, beside a deploy; an unknown field is refused."""

from pydantic import BaseModel, ConfigDict

from infra.localcloud.fly.model import AddressType
from infra.localcloud.fly.registry import ORGANIZATION


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class CreateApp(_Body):
    name: str
    organization: str = ORGANIZATION


class ChangeSecrets(_Body):
    set: dict[str, str] = {}
    unset: list[str] = []


class Scale(_Body):
    count: int


class ScaleVm(_Body):
    """`size` as Fly names it, such as `shared-cpu-2x`; without `memory_mb` the least that the size may have."""

    size: str
    memory_mb: int | None = None


class AllocateAddress(_Body):
    type: AddressType
    region: str = "global"


class AddCertificate(_Body):
    hostname: str
