"""The public JSON of projects and deployments, as the v4 API answers them."""

from infra.localcloud.cloudflare.envelope import Json
from infra.localcloud.cloudflare.pages.records import SUFFIX, PagesRecords

_STAGES = ("queued", "initialize", "clone_repo", "build", "deploy")


def project_view(records: PagesRecords, project: Json) -> Json:
    name = project["name"]
    deployments = records.deployments(name)
    canonical = next((one for one in deployments if one["id"] == project["canonical"]), None)
    return {
        "id": project["id"],
        "name": name,
        "subdomain": name + SUFFIX,
        "domains": [name + SUFFIX, *(domain["name"] for domain in records.domains(name))],
        "production_branch": project["production_branch"],
        "production_script_name": f"pages-worker--{name}-production",
        "preview_script_name": f"pages-worker--{name}-preview",
        "created_on": project["created_on"],
        "framework": "",
        "framework_version": "",
        "uses_functions": False,
        "source": None,
        "build_config": project["build_config"],
        "deployment_configs": project["deployment_configs"],
        "canonical_deployment": canonical and deployment_view(project, canonical),
        "latest_deployment": deployment_view(project, deployments[0]) if deployments else None,
    }


def deployment_view(project: Json, deployment: Json) -> Json:
    name, created_on = project["name"], deployment["created_on"]
    stages = [
        {"name": stage, "status": "success", "started_on": created_on, "ended_on": created_on} for stage in _STAGES
    ]
    alias = deployment["alias"]
    return {
        "id": deployment["id"],
        "short_id": deployment["short_id"],
        "project_id": project["id"],
        "project_name": name,
        "environment": deployment["environment"],
        "url": f"https://{deployment['short_id']}.{name}{SUFFIX}",
        "aliases": None if alias is None else [f"https://{alias}.{name}{SUFFIX}"],
        "created_on": created_on,
        "modified_on": created_on,
        "latest_stage": stages[-1],
        "stages": stages,
        "deployment_trigger": {
            "type": "ad_hoc",
            "metadata": {"branch": deployment["branch"], **deployment["commit"]},
        },
        "build_config": project["build_config"],
        "env_vars": deployment["env_vars"],
        "production_branch": project["production_branch"],
        "is_skipped": False,
        "uses_functions": False,
        "source": None,
    }
