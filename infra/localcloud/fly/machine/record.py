"""The record of a machine that is about to exist."""

from collections.abc import Mapping

from infra.localcloud.fly.ids import new_ulid
from infra.localcloud.fly.machine.assignment import Assignment
from infra.localcloud.fly.model import Event, Machine, now


def new_record(
    machine_id: str,
    assignment: Assignment,
    *,
    start: bool = True,
    cordoned: bool = False,
    metadata: Mapping[str, str] | None = None,
) -> Machine:
    created = now()
    record = Machine(
        id=machine_id,
        name=f"local-{machine_id[:5]}",
        region=assignment.config.primary_region,
        image=assignment.image,
        config=assignment.config,
        release_id=assignment.release.id,
        release_version=assignment.release.version,
        instance_id=new_ulid(),
        state="created" if start else "stopped",
        wanted="started" if start else "stopped",
        cordoned=cordoned,
        metadata=dict(metadata or {}),
        created_at=created,
        updated_at=created,
    )
    record.note(Event(type="launch", status="created", source="user", at=created))
    return record
