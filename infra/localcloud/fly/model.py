"""What the stand-in remembers about an app; every object here is persisted by `store` as it is."""

from datetime import UTC, datetime
from typing import Literal

from pydantic import BaseModel

from infra.localcloud.fly.config import Config

EVENTS_KEPT = 20

MachineState = Literal["created", "starting", "started", "stopping", "stopped", "replacing"]
AddressType = Literal["v6", "private_v6", "v4", "shared_v4"]
ReleaseStatus = Literal["running", "complete", "failed", "interrupted"]


def now() -> datetime:
    return datetime.now(UTC)


class ImageReference(BaseModel):
    """`registry.fly.io/<repository>[:<tag>]@sha256:<64 hex>`."""

    repository: str
    tag: str | None = None
    digest: str

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        return f"registry.fly.io/{self.repository}{tag}@{self.digest}"


class Event(BaseModel):
    type: Literal["launch", "start", "update", "exit"]
    status: MachineState
    source: Literal["user", "flyd"]
    at: datetime
    exit_code: int | None = None
    requested_stop: bool = False


class Machine(BaseModel):
    """One machine; `wanted` outlives the stand-in: what is wanted started starts again with it."""

    id: str
    name: str
    region: str
    image: ImageReference
    config: Config
    release_id: str
    release_version: int
    instance_id: str
    state: MachineState = "created"
    wanted: Literal["started", "stopped"] = "started"
    cordoned: bool = False
    metadata: dict[str, str] = {}
    created_at: datetime
    updated_at: datetime
    events: list[Event] = []

    def note(self, event: Event) -> None:
        """The newest event comes first, as Fly lists them."""
        self.events = [event, *self.events][:EVENTS_KEPT]
        self.updated_at = event.at


class Release(BaseModel):
    id: str
    version: int
    status: ReleaseStatus
    strategy: str
    image: ImageReference
    config: Config
    created_at: datetime


class Certificate(BaseModel):
    hostname: str
    created_at: datetime


class Address(BaseModel):
    id: str
    address: str
    type: AddressType
    region: str
    created_at: datetime


class App(BaseModel):
    """`number` is Fly's numeric id, unique in one state folder."""

    name: str
    organization: str
    number: int
    created_at: datetime
    deployed: bool = False
    machines: dict[str, Machine] = {}
    releases: list[Release] = []
    certificates: dict[str, Certificate] = {}
    addresses: list[Address] = []

    @property
    def hostname(self) -> str:
        return f"{self.name}.fly.dev"

    @property
    def version(self) -> int:
        return self.releases[-1].version if self.releases else 0

    @property
    def status(self) -> str:
        """`pending` until a release completed, `suspended` without machines."""
        if not self.deployed:
            return "pending"
        return "deployed" if self.machines else "suspended"


class Secrets(BaseModel):
    """Two sets of values: the staged ones, and those that the last deploy gave to the machines."""

    staged: dict[str, str] = {}
    deployed: dict[str, str] = {}
