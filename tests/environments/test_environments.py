"""Several stacks in one account and one bucket: the same image, and nothing of each other's."""

import shutil
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import boto3
import httpx
import pytest

from tests.environments.cloud import Account, changed
from tests.environments.conftest import STACKS, Promoted, machine_environment

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]

RECORDING = {"filename": "game.mp4", "content_type": "video/mp4", "size_bytes": 1000}


def images(account: Account, stack: str) -> set[str]:
    return {each["image_ref"]["digest"] for each in account.flyctl("status", "--app", STACKS[stack])["Machines"]}


def keys(environment: str) -> list[str]:
    """Every key of the bucket, read with the key pair of one environment's backend."""
    found = machine_environment(environment)
    store = boto3.client(
        "s3",
        endpoint_url=found["R2_ENDPOINT"],
        region_name="auto",
        aws_access_key_id=found["R2_ACCESS_KEY_ID"],
        aws_secret_access_key=found["R2_SECRET_ACCESS_KEY"],
    )
    return [each["Key"] for each in store.list_objects_v2(Bucket=found["R2_BUCKET"]).get("Contents", ())]


def test_promotion_moves_the_digest_that_staging_runs(promoted: Promoted) -> None:
    digest = promoted.image.rpartition("@")[2]
    assert images(promoted.account, "staging") == images(promoted.account, "production") == {digest}


def test_applying_one_stack_leaves_nothing_to_do_in_the_other(promoted: Promoted) -> None:
    for stack in ("staging", "production"):
        assert changed(promoted.account.run("preview", stack)) == {}


def test_users_of_one_environment_do_not_exist_in_the_other(promoted: Promoted) -> None:
    staging, production = promoted.backend("staging"), promoted.backend("production")
    with staging.client() as client:
        made = client.post("/api/media", json=RECORDING)
        assert made.status_code == 201, made.text
        assert client.get("/api/media").json()["items"] != []
    with production.client() as client:
        assert client.get("/api/media").json()["items"] == []
        assert client.get(f"/api/media/{made.json()['media']['id']}").status_code == 404
    with production.client(staging.token) as client:
        assert client.get("/api/media").status_code == 401
    found = keys("staging")
    assert found
    assert all(key.startswith("staging/") for key in found), "production has only read so far"


def test_a_key_is_rotated_without_a_failed_request(promoted: Promoted) -> None:
    account, staging = promoted.account, promoted.backend("staging")
    before = machine_environment("staging")["R2_ACCESS_KEY_ID"]
    with staging.client() as client:
        given_out = _upload_url(client)
    account.configure("staging", bucketKeys=["a", "b"])
    with requests_go_on(promoted) as statuses:
        assert changed(account.run("up", "staging"))["storage-token-b"] == "create"
        assert machine_environment("staging")["R2_ACCESS_KEY_ID"] != before
        assert httpx.put(given_out, content=b"x" * 1000, timeout=60).status_code == 200, (
            "URLs made with the key before still work"
        )

        account.configure("staging", bucketKeys=["b"])
        assert changed(account.run("up", "staging"))["storage-token-a"] == "delete"
    assert len(statuses) > 20
    assert [status for status in statuses if status not in (200, 201)] == []
    assert httpx.put(given_out, content=b"x" * 1000, timeout=60).status_code in (401, 403), "and end with the key"


def _upload_url(client: httpx.Client) -> str:
    media = client.post("/api/media", json=RECORDING).json()["media"]
    parts = client.post(f"/api/media/{media['id']}/part-urls", json={"part_numbers": [1]}).json()["parts"]
    return str(parts[0]["url"])


@contextmanager
def requests_go_on(promoted: Promoted) -> Iterator[list[int]]:
    """Status codes of readers and writers that never pause; 0 stands for no answer.

    The test user's token is made from the key, so a caller takes the new one where the old one is refused.
    """
    ended, statuses = threading.Event(), list[int]()

    def repeat(call: Callable[[httpx.Client], httpx.Response]) -> None:
        client = promoted.backend("staging").client()
        while not ended.is_set():
            try:
                answer = call(client)
                if answer.status_code == 401:
                    client = promoted.backend("staging").client()
                    answer = call(client)
                statuses.append(answer.status_code)
            except httpx.HTTPError:
                statuses.append(0)

    calls = (lambda client: client.get("/api/media"), lambda client: client.post("/api/media", json=RECORDING))
    with ThreadPoolExecutor() as workers:
        begun = [workers.submit(repeat, call) for call in calls]
        try:
            yield statuses
        finally:
            ended.set()
            for worker in begun:
                worker.result()


def test_a_new_environment_is_one_stack_file(promoted: Promoted) -> None:
    account = promoted.account
    shutil.copy(account.stack_file("production"), account.stack_file("qa"))
    account.configure(
        "qa",
        environment="qa",
        flyApp=STACKS["qa"],
        pagesBranch="qa",
        modalEnvironment="qa",
        domain=None,
        zoneId=None,
        landingProject=None,
        apiUrl=f"http://127.0.0.1:{account.fronts['qa']}",
    )
    account.run("up", "qa")
    with promoted.backend("qa").client() as client:
        assert client.get("/api/media").json() == {"items": []}
        assert client.post("/api/media", json=RECORDING).status_code == 201
    for stack in ("staging", "production"):
        assert changed(account.run("preview", stack)) == {}


def test_destroying_an_environment_takes_nothing_of_the_others(promoted: Promoted) -> None:
    account = promoted.account
    before = keys("staging")
    account.run("destroy", "production", "--exclude-protected")
    assert {key for key in before if key.startswith("staging/")} <= set(keys("staging"))
    with promoted.backend("staging").client() as client:
        assert client.get("/api/media").json()["items"] != []
    assert changed(account.run("preview", "staging")) == {}


def test_destroying_the_owner_of_the_bucket_leaves_what_others_need(promoted: Promoted) -> None:
    account = promoted.account
    before = keys("qa")
    account.run("destroy", "staging", "--exclude-protected")
    assert {key for key in before if key.startswith("qa/")} <= set(keys("qa"))
    with promoted.backend("qa").client() as client:
        assert client.post("/api/media", json=RECORDING).status_code == 201
    found = machine_environment("qa")
    asked = httpx.options(
        f"{found['R2_ENDPOINT']}/{found['R2_BUCKET']}/qa/any",
        headers={"Origin": "https://app.reelballers.com", "Access-Control-Request-Method": "PUT"},
        timeout=60,
    )
    assert asked.headers.get("access-control-allow-origin") == "https://app.reelballers.com"
