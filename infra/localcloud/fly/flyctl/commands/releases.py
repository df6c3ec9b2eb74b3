"""`flyctl releases`."""

from typing import Any

from infra.localcloud.fly.flyctl.queries import APP_RELEASES
from infra.localcloud.fly.flyctl.run import Run
from infra.localcloud.fly.flyctl.when import ago
from infra.localcloud.fly.ids import EMAIL

_USER = {"ID": "user1", "Name": "Local User", "Email": EMAIL, "EnablePaidHobby": False}


def list_all(run: Run) -> None:
    with run.graphql(f"failed retrieving app releases {run.app}: {APP_RELEASES}"):
        releases = run.call("GET", "/releases")
    if run.flags.on("--json"):
        run.show([_release(release) for release in releases])
        return
    with_image = run.flags.on("--image")
    rows = [
        [f"v{release['version']}", release["status"], "Release", str(_USER["Email"]), ago(release["created_at"])]
        + ([release["image_ref"]] if with_image else [])
        for release in releases
    ]
    run.table(["VERSION", "STATUS", "DESCRIPTION", "USER", "DATE", *(["DOCKER IMAGE"] if with_image else [])], rows)


def _release(release: dict[str, Any]) -> dict[str, Any]:
    return {
        "ID": release["id"],
        "Version": release["version"],
        "Stable": True,
        "InProgress": False,
        "Reason": "deploy",
        "Description": "Release",
        "Status": release["status"],
        "DeploymentStrategy": "",
        "Metadata": None,
        "User": _USER,
        "EvaluationID": "",
        "CreatedAt": release["created_at"],
        "ImageRef": release["image_ref"],
    }
