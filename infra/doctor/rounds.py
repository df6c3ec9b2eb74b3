"""All complaints in their order: what needs sleeping machines first, what makes things last, and then their removal."""

import tempfile
from collections.abc import Callable
from pathlib import Path

from infra.deploy.verify import cleanup, cors, exports, identity, recording, service, sockets
from infra.deploy.verify.outputs import Outputs
from infra.deploy.verify.report import Report
from infra.deploy.verify.rounds import terminable
from infra.deploy.verify.visit import Visit
from infra.doctor import credentials, declared, gpu, isolation, machines, names, page, tools
from infra.doctor.complaint import Complaint, examine, with_remedy
from infra.doctor.patient import Patient

Remedies = list[tuple[str, str]]


async def examined(
    patient_of: Callable[[Visit], Patient], outputs: Outputs, show: Callable[[str], None]
) -> tuple[Report, Remedies]:
    """The rows, and for each that failed what to do."""
    report = Report(show)
    with tempfile.TemporaryDirectory(prefix="doctor-") as scratch, terminable():
        visit = Visit(outputs, Path(scratch))
        patient = patient_of(visit)
        remedies: Remedies = []
        async with visit.api, visit.web:
            try:
                remedies += await examine(report, _standing(patient))
                # What the machines were told is known by now.
                remedies += await examine(report, [*gpu.complaints(patient), *_trying(patient)])
            finally:
                await visit.hang_up()
                remedies += await examine(
                    report, [Complaint(cleanup.after(visit), f"make doctor STACK={patient.stack}")]
                )
    return report, remedies


def _standing(patient: Patient) -> list[Complaint]:
    visit, app, up = patient.visit, patient.app, patient.up
    logs = f"flyctl logs -a {app} --no-tail"
    return [
        *tools.complaints(patient),
        *credentials.complaints(patient),
        # TLS ends at Fly's edge, so that asking for a certificate wakes no machine.
        *names.complaints(patient),
        *machines.complaints(patient),
        *declared.complaints(patient),
        Complaint(service.health_check(visit), f"{logs}; then: {up}"),
        Complaint(service.version_check(visit), patient.redeploy),
        Complaint(service.readiness_check(visit), f"{logs}; open {visit.outputs.api_url}/api/ready"),
        *with_remedy(
            identity.checks(visit), f"pulumi stack output --json --show-secrets -s {patient.stack} > outputs.json; {up}"
        ),
        *page.complaints(patient),
        *with_remedy(cors.api_checks(visit), f"{up}  (CORS_ORIGINS is the app's address, never typed)"),
        *with_remedy(
            sockets.checks(visit),
            f"{up}; {logs}  (a proxy in front must pass Upgrade, and the app's origin must be allowed)",
        ),
        *with_remedy([cleanup.before(visit)], logs),
    ]


def _trying(patient: Patient) -> list[Complaint]:
    """One short extraction, which is the cheapest thing that takes the whole way."""
    visit, app, up = patient.visit, patient.app, patient.up
    logs = f"flyctl logs -a {app} --no-tail"
    modal = f".venv/bin/modal app logs {visit.outputs.gpu_app or 'GPU_APP'} --env {gpu.modal_environment(patient)}"
    render, told = exports.render_check(visit, "extract"), exports.progress_check(visit, "extract")
    return [
        *isolation.complaints(patient),
        *with_remedy(cors.bucket_checks(visit), f"{up}  (the bucket's CORS rules are part of the stack)"),
        *with_remedy(recording.checks(visit), f"{logs}; {modal}"),
        Complaint(render, f"{modal}; {logs}"),
        Complaint(told, f"{logs}  (look for disconnects; more than one machine: flyctl status -a {app})"),
    ]
