"""Traps of the Cloudflare provider."""

from pathlib import Path

import pytest
import yaml

from infra.rehearsal.api import Result, run
from infra.rehearsal.providers.fake import Fake
from infra.rehearsal.resource import Resource
from infra.rehearsal.values import Values
from infra.sources import ROOT
from tests.infra.test_stack import STACKS, inputs, names, plan, short

# Their deletion does nothing at Cloudflare (and of the last two not even a read looks there).
WITHOUT_DELETE = {"R2BucketLifecycle", "R2ManagedDomain", "R2CustomDomain"}


@pytest.mark.parametrize("stack", STACKS)
def test_what_cannot_be_deleted_belongs_to_a_bucket_that_is_kept(stack: str) -> None:
    kinds = {each.type.rpartition(":")[2] for each in plan(stack).resources}
    assert kinds & WITHOUT_DELETE <= {"R2BucketLifecycle"}
    for each in plan(stack).resources:
        if each.type.endswith(":R2BucketLifecycle"):
            [bucket] = [other for other in plan(stack).resources if other.urn in each.dependencies]
            assert bucket.retain_on_delete
            assert bucket.protect


def test_one_stack_alone_writes_the_rules_of_the_shared_bucket() -> None:
    """A creation puts its rules over those that are there, so two owners would undo each other."""
    writers = [stack for stack in ("staging", "production") if names(stack, "R2BucketCors")]
    assert writers == [stack for stack in ("staging", "production") if names(stack, "R2Bucket")] == ["staging"]


def bucket_only(location: str, state: Path, cloud: Fake) -> Result:
    def program() -> None:
        from infra.components.storage import Storage, StorageArgs

        Storage("storage", StorageArgs("test", "0" * 32, "users", True, location, ["https://x.test"], ("a",)))

    return run(program, providers={"cloudflare": cloud}, state=state)


def replacing_location() -> Fake:
    """As the provider: a bucket's location cannot change in place."""
    made: dict[str, Values] = {"AccountToken": {"value": "v"}}

    def outputs(resource: Resource) -> Values:
        return made.get(resource.type.rpartition(":")[2], {})

    return Fake(outputs=outputs, replaces=["location"])


def test_another_location_never_touches_the_bucket(tmp_path: Path) -> None:
    """Cloudflare takes a location at the first creation of a name only, and a replacement would cost the data."""
    cloud = replacing_location()
    assert bucket_only("wnam", tmp_path / "state.json", cloud).succeeded
    before = list(cloud.calls)
    after = bucket_only("weur", tmp_path / "state.json", cloud)
    assert after.succeeded, after.diagnostics
    assert [call for call in cloud.calls[len(before) :] if call[1] == "storage-bucket"] == []
    assert after.find("storage-bucket").id == "storage-bucket-id"


@pytest.mark.parametrize("stack", STACKS)
def test_pages_projects_have_no_variables_and_a_pinned_build_image(stack: str) -> None:
    """A variable that was removed may stay, and none reaches a site that is built before it is uploaded."""
    for name in names(stack, "PagesProject"):
        configs = inputs(stack, name)["deploymentConfigs"]
        assert configs == {place: {"buildImageMajorVersion": 3} for place in ("preview", "production")}


@pytest.mark.parametrize("stack", STACKS)
def test_every_domain_of_a_site_has_its_record_first(stack: str) -> None:
    records = {inputs(stack, name)["name"]: name for name in names(stack, "DnsRecord")}
    domains = names(stack, "PagesDomain")
    for domain in domains:
        record = records[inputs(stack, domain)["name"]]
        needs = {short(urn) for each in plan(stack).resources if each.name == domain for urn in each.dependencies}
        assert record in needs
        assert inputs(stack, record)["type"] == "CNAME"
        assert inputs(stack, record)["content"] == f"{inputs(stack, domain)['projectName']}.pages.dev"
    assert bool(domains) == (stack == "production")


def test_no_two_stacks_deploy_to_one_branch_of_one_project() -> None:
    """A branch other than the project's production branch makes a preview; the same branch would take its place."""
    values = [
        yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())["config"] for stack in ("staging", "production")
    ]
    assert {each["reel:pagesBranch"] for each in values} == {"staging", "main"}
    owned = [inputs(stack, name) for stack in STACKS for name in names(stack, "PagesProject")]
    assert {each["productionBranch"] for each in owned} == {"main"}
