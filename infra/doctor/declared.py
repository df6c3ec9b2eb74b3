"""Are the machines those of the stack: its image, as many and as large as its file says? No provider reads them."""

from functools import partial

from infra.deploy.verify.report import Check, StillUsableError
from infra.doctor.complaint import Complaint
from infra.doctor.machines import MACHINES
from infra.doctor.patient import Patient

UNKNOWN = "not compared: only outputs are known, no stack file"


def complaints(patient: Patient) -> list[Complaint]:
    needs = (MACHINES,)
    return [
        Complaint(Check("machines, image", partial(image, patient), needs), patient.redeploy),
        Complaint(Check("machines, number", partial(number, patient), needs), patient.repeat("backend-scale")),
        Complaint(Check("machines, size", partial(size, patient), needs), patient.redeploy),
    ]


async def image(patient: Patient) -> str:
    """Two names of one digest are one image."""
    running = {str(each["id"]): str(each["image_ref"]["digest"]) for each in patient.seen_machines}
    if len(set(running.values())) > 1:
        raise StillUsableError(
            f"the machines run {len(set(running.values()))} different images: a deployment ended half way"
        )
    wanted = patient.visit.outputs.image.rpartition("@")[2]
    if not wanted:
        return "one (the outputs name none)"
    others = [name for name, digest in running.items() if digest != wanted]
    if others:
        raise StillUsableError(f"{', '.join(others)} run {running[others[0]]}, the outputs say {wanted}")
    return wanted


async def number(patient: Patient) -> str:
    if patient.config is None:
        return UNKNOWN
    found, wanted = len(patient.seen_machines), patient.config.machines
    if found != wanted:
        raise StillUsableError(f"{found} machine(s) exist, the stack file says {wanted}")
    return str(found)


async def size(patient: Patient) -> str:
    if patient.config is None:
        return UNKNOWN
    wanted = _shown(patient.config.vm_cpu_kind, patient.config.vm_cpus, patient.config.vm_memory_mb)
    guests = {str(each["id"]): each["config"]["guest"] for each in patient.seen_machines}
    sizes = {name: _shown(guest["cpu_kind"], guest["cpus"], guest["memory_mb"]) for name, guest in guests.items()}
    others = [f"{name} has {found}" for name, found in sizes.items() if found != wanted]
    if others:
        raise StillUsableError(f"{', '.join(others)}; the stack file says {wanted}")
    return wanted


def _shown(cpu_kind: str, cpus: int, memory_mb: int) -> str:
    return f"{cpus} {cpu_kind} CPU(s) and {memory_mb} MB"
