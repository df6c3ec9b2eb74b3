"""Modal is not working: the functions are deployed where the backend looks, and the backend reaches them."""

from functools import partial

from infra.deploy.errors import DeployError
from infra.deploy.verify.report import Check
from infra.doctor.complaint import Complaint
from infra.doctor.credentials import MODAL, ask_modal
from infra.doctor.machines import MACHINES
from infra.doctor.patient import Patient

DEFAULT_ENVIRONMENT = "main"


def complaints(patient: Patient) -> list[Complaint]:
    if not patient.visit.outputs.gpu_app:
        return [Complaint(Check("Modal functions", not_used), patient.up)]
    environment = modal_environment(patient)
    logs = f".venv/bin/modal app logs {patient.visit.outputs.gpu_app} --env {environment}"
    return [
        # A machine says in which environment the backend looks.
        Complaint(
            Check("Modal functions", partial(deployed, patient), (MODAL, MACHINES)), f"{patient.up}; then: {logs}"
        ),
    ]


async def not_used() -> str:
    return "not used: renders run on the backend's own machine"


async def deployed(patient: Patient) -> str:
    app, environment = patient.visit.outputs.gpu_app, modal_environment(patient)
    enabled = patient.machine_environment.get("MODAL_ENABLED")
    if enabled is not None and enabled != "true":
        raise DeployError(f"the stack has the functions {app}, but the backend runs with MODAL_ENABLED={enabled}")
    listed = await ask_modal("app", "list", "--env", environment)
    states = {str(each["description"]): str(each["state"]) for each in listed}
    if states.get(app) != "deployed":
        raise DeployError(f"{app} is {states.get(app, 'not there')} in the Modal environment {environment}")
    return f"{app} is deployed in {environment}"


def modal_environment(patient: Patient) -> str:
    """What the backend was given; Modal's own name where it is not known."""
    return patient.machine_environment.get("MODAL_ENVIRONMENT", DEFAULT_ENVIRONMENT)
