"""The Modal app with the media functions, and the secret that its functions read."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from infra.components.command import deploy_step, result
from infra.sources import FUNCTIONS, content_hash

APP = "reel-ballers"
SECRET = "reel-ballers-gpu"  # noqa: S105 -- its name, not its value


@dataclass(frozen=True)
class GpuArgs:
    """`settings`: environment of the functions, kept in a Modal secret."""

    environment: str
    settings: Mapping[str, pulumi.Input[str]]
    modal_url: str | None = None


class Gpu(pulumi.ComponentResource):
    """Output: `app`, the deployed app's name."""

    app: pulumi.Output[str]

    def __init__(self, name: str, args: GpuArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("reel:gpu:Gpu", name, None, opts)
        modal = {"environment": args.environment, "modal_url": args.modal_url}
        secret = deploy_step(
            f"{name}-secret",
            "modal secret",
            {**modal, "name": SECRET, "values": args.settings},
            pulumi.ResourceOptions(parent=self),
            undo="modal delete-secret",
            secret=True,
        )
        deployment = deploy_step(
            f"{name}-deploy",
            "modal deploy",
            {**modal, "app": APP},
            pulumi.ResourceOptions(parent=self, depends_on=[secret]),
            undo="modal stop",
            source_hash=content_hash(FUNCTIONS),
        )
        self.app = result(deployment, "app")
        self.register_outputs({"app": self.app})
