"""About every tenth call to Cloudflare and R2 goes wrong: an `up` gets through or says why not; a later one ends."""

import re
import sys
from typing import Any

import boto3
import pytest
from botocore.config import Config

from tests.faults import story
from tests.faults.scene import Scene
from tests.faults.story import Complete
from tests.infra.localcloud.faults.serving import plan, rule
from tests.infra.localcloud.r2.running import Account

pytestmark = pytest.mark.timeout(900)

SEEDS = (1, 2, 3, 4)
FAULTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("latency", {"latency_ms": 20}),
    ("too_many", {"retry_after_s": 0}),
    ("server_error", {}),
    ("server_error", {"status": 503}),
    ("lost_request", {}),
    ("lost_response", {}),
)
EACH = 0.018  # six of them: about one call in ten


@pytest.mark.parametrize("seed", SEEDS)
def test_an_up_gets_through_or_says_why_not(stage: Scene, complete: Complete, seed: int) -> None:
    sys.stdout.write(f"seed {seed}\n")
    rules = [
        rule(service, "*", fault, probability=EACH, **more)
        for service in ("cloudflare", "pages", "r2")
        for fault, more in FAULTS
    ]
    stage.reset()
    stage.clouds.faults.use(plan(*rules, seed=seed))
    status, said = stage.rehearse("up")
    met = [(call.call, call.fault) for call in stage.clouds.faults.calls if call.fault]
    sys.stdout.write(f"status {status}, faults {met}\n")
    if status:
        assert met, said
        assert re.search(r"failed|error", said), said
    stage.clouds.faults.use(plan())
    status, said = stage.rehearse("up")
    assert status == 0, said
    story.put_object(stage)
    assert story.difference(stage, complete) == ""


@pytest.mark.parametrize("seed", SEEDS)
def test_objects_get_through_with_a_client_that_repeats(stage: Scene, complete: Complete, seed: int) -> None:
    """boto3 with five attempts."""
    sys.stdout.write(f"seed {seed}\n")
    stage.reset(complete.snapshot)
    r2, bucket = stage.clouds.r2, stage.clouds.config.bucket
    account = Account(r2.url, bucket, "key-of-the-tests")
    r2.control.grant(account.access_key_id, account.secret, bucket, "write")
    s3 = boto3.client(
        "s3",
        endpoint_url=account.url,
        aws_access_key_id=account.access_key_id,
        aws_secret_access_key=account.secret,
        region_name="auto",
        config=Config(
            retries={"total_max_attempts": 5, "mode": "standard"},
            request_checksum_calculation="when_required",
        ),
    )
    stage.clouds.faults.use(
        plan(*(rule("r2", "*", fault, probability=EACH, **more) for fault, more in FAULTS), seed=seed)
    )
    names = [f"staging/users/a/{number}" for number in range(40)]
    for name in names:
        s3.put_object(Bucket=bucket, Key=name, Body=name.encode())
    assert {call.fault for call in stage.clouds.faults.calls} - {""}
    stage.clouds.faults.use(plan())
    assert [s3.get_object(Bucket=bucket, Key=name)["Body"].read().decode() for name in names] == names
