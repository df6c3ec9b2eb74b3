"""Host names and certificates. Records and Pages' domains are resources; Fly's certificate was made by a command."""

from urllib.parse import urlsplit

from infra.deploy.verify import hosts
from infra.doctor.complaint import Complaint
from infra.doctor.patient import Patient


def complaints(patient: Patient) -> list[Complaint]:
    outputs = patient.visit.outputs
    issued_by_fly = {
        row: urlsplit(url).hostname or ""
        for url in (outputs.api_url, outputs.health_url, outputs.ws_url)
        for row in hosts.rows_of(url)[1:]
    }
    refresh = f"{patient.refresh}  (records and the domains of pages are part of the stack)"
    return [
        Complaint(check, _issue(patient, issued_by_fly[check.name]) if check.name in issued_by_fly else refresh)
        for check in hosts.checks(outputs)
    ]


def _issue(patient: Patient, host: str) -> str:
    # Not the step again by a replacement: its undo would remove the certificate.
    words = f"{host} -a {patient.app}"
    return f"flyctl certs check {words}  (what is missing; if Fly does not know it: flyctl certs add {words})"
