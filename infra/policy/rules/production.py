"""What production promises: it answers at once, it is watched, and it runs the very image that was tried before."""

import re
from collections.abc import Iterator
from typing import Any, Final

from infra.policy.model import Context, PlannedResource, ResourceRule
from infra.policy.steps import fly_settings, is_step, step_inputs
from infra.policy.values import unsecret

DIGEST: Final = re.compile(r"^[^@\s]+@sha256:[0-9a-f]{64}$")


def _is_warm(resource: PlannedResource, context: Context) -> Iterator[str]:
    if context.is_production and is_step(resource, "fly deploy"):
        service = _service(resource, context)
        if service.get("auto_stop_machines", "off") != "off" and not service.get("min_machines_running"):
            yield "min_machines_running is 0: whoever comes first waits for a start"
    if context.is_production and is_step(resource, "fly scale"):
        machines = step_inputs(resource, context).get("machines")
        if not isinstance(machines, int) or machines < 1:
            yield f"machines is {machines!r}: nothing would run"


def _has_health_check(resource: PlannedResource, context: Context) -> Iterator[str]:
    if context.is_production and is_step(resource, "fly deploy"):
        checks = _service(resource, context).get("checks") or []
        if not any(isinstance(check, dict) and check.get("path") for check in checks):
            yield "http_service has no check with a path: a broken machine would get requests"


def _image_has_digest(resource: PlannedResource, context: Context) -> Iterator[str]:
    if context.is_production and is_step(resource, "fly deploy"):
        image = unsecret(step_inputs(resource, context).get("image"))
        if not isinstance(image, str) or not DIGEST.match(image):
            yield f"image is {image or ''!r}: it would be built anew, or could change under its name"


def _service(resource: PlannedResource, context: Context) -> dict[str, Any]:
    service = fly_settings(resource, context).get("http_service", {})
    return service if isinstance(service, dict) else {}


RULES = (
    ResourceRule(
        name="production-is-warm",
        description="In production a machine is always on.",
        remedy="set reel:minMachinesRunning and reel:machines to 1 or more",
        check=_is_warm,
    ),
    ResourceRule(
        name="production-has-a-health-check",
        description="In production a check decides whether a machine gets requests.",
        remedy="keep [[http_service.checks]] with a path in the Fly configuration",
        check=_has_health_check,
    ),
    ResourceRule(
        name="production-image-has-a-digest",
        description="Production runs an image by its digest: the one that staging was verified with.",
        remedy="set reel:image to the output `image` of the staging stack (NAME@sha256:...)",
        check=_image_has_digest,
    ),
)
