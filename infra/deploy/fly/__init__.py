"""Fly: app, secrets, deployment, machine count and certificate, by `flyctl`. Each step probes, acts and verifies."""

from collections.abc import Callable, Mapping
from typing import Any

from infra.deploy.fly.app import app, destroy_app
from infra.deploy.fly.certificate import certificate, remove_certificate
from infra.deploy.fly.deployment import deploy
from infra.deploy.fly.scale import scale
from infra.deploy.fly.secrets import secrets

__all__ = ["STEPS", "app", "certificate", "deploy", "destroy_app", "remove_certificate", "scale", "secrets"]

STEPS: Mapping[str, Callable[[str], dict[str, Any]]] = {
    "app": app,
    "secrets": secrets,
    "deploy": deploy,
    "scale": scale,
    "certificate": certificate,
    "remove-certificate": remove_certificate,
    "destroy-app": destroy_app,
}
