"""The FastAPI backend on Fly: app, secrets, deployment, machine count, certificate.

Fly has no resource of its own here; each part is a command that probes, acts and verifies.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from infra.components.command import deploy_step, result
from infra.fly_config import FlyConfig, render
from infra.sources import IMAGE, content_hash


@dataclass(frozen=True)
class BackendArgs:
    """`health_url`: where a fresh deployment must answer 200; `machines`: how many exist.

    `image`: a reference with its digest, None to build from the sources; `redeploy`: another text deploys again.
    """

    config: FlyConfig
    org: str
    machines: int
    health_url: str
    secrets: Mapping[str, pulumi.Input[str]]
    image: str | None = None
    redeploy: str | None = None
    fly_url: str | None = None


class Backend(pulumi.ComponentResource):
    """Outputs: `app` (name, once it exists), `image` (reference with its digest), `version` (what health answers)."""

    app: pulumi.Output[str]
    image: pulumi.Output[str]
    version: pulumi.Output[str]

    def __init__(self, name: str, args: BackendArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("reel:backend:Backend", name, None, opts)
        here = pulumi.ResourceOptions(parent=self)
        fly = {"app": args.config.app, "fly_url": args.fly_url}

        app = deploy_step(f"{name}-app", "fly app", {**fly, "org": args.org}, here, undo="fly destroy-app")
        self.app = result(app, "app")
        target = {**fly, "app": self.app}

        values: pulumi.Output[Mapping[str, str]] = pulumi.Output.all(**args.secrets)
        secrets = deploy_step(f"{name}-secrets", "fly secrets", {**target, "secrets": values}, here, secret=True)
        deployment = deploy_step(
            f"{name}-deploy",
            "fly deploy",
            {
                **target,
                "config": render(args.config),
                "strategy": args.config.deploy.strategy,
                "health_url": args.health_url,
                "image": args.image,
                "redeploy": args.redeploy,
                # Secrets are staged: only a deployment hands them to the machines.
                "secrets_version": pulumi.Output.unsecret(values.apply(_version)),
            },
            pulumi.ResourceOptions(parent=self, depends_on=[secrets]),
            # A given image is what it is, whatever the sources are by now.
            source_hash=None if args.image else content_hash(IMAGE),
        )
        self.image = result(deployment, "image")
        self.version = result(deployment, "version")
        self._scale = deploy_step(
            f"{name}-scale",
            "fly scale",
            {**target, "machines": args.machines},
            pulumi.ResourceOptions(parent=self, depends_on=[deployment]),
        )
        self._fly = target
        self._name = name
        self.register_outputs({"app": self.app, "image": self.image})

    def certificate(self, hostname: pulumi.Input[str]) -> None:
        """Issue Fly's certificate for a host name whose DNS record exists."""
        deploy_step(
            f"{self._name}-certificate",
            "fly certificate",
            {**self._fly, "hostname": hostname},
            pulumi.ResourceOptions(parent=self, depends_on=[self._scale]),
            undo="fly remove-certificate",
        )


def _version(secrets: Mapping[str, str]) -> str:
    """A short fingerprint that changes with the secrets; they are random keys, so it tells nothing about them."""
    return hashlib.sha256(json.dumps(secrets, sort_keys=True).encode()).hexdigest()[:12]
