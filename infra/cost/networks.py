"""Whether a deploy builds the image with networks: without it no function has a GPU (gpu/app.py, `why_no_networks`)."""

import json

from infra.sources import ROOT

WEIGHTS_LOCK = ROOT / "gpu" / "weights.lock"
PACKAGES_LOCK = ROOT / "requirements" / "networks.lock"
NEEDED = ("rf-detr-small", "realesr-general-x4v3")


def networks_are_built() -> bool:
    """All weights that the image needs have a verified hash, and its packages are locked."""
    verified = {entry["name"] for entry in json.loads(WEIGHTS_LOCK.read_text())["weights"] if entry["sha256"]}
    return verified.issuperset(NEEDED) and PACKAGES_LOCK.exists()
