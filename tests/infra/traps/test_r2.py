"""Traps of R2 where it is not S3."""

import ast
import re

from infra.sources import ROOT


def sources(folder: str) -> dict[str, str]:
    return {path.relative_to(ROOT).as_posix(): path.read_text() for path in (ROOT / folder).rglob("*.py")}


def test_only_methods_that_r2_presigns_are_presigned() -> None:
    tree = ast.parse((ROOT / "app/storage/presign.py").read_text())
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "self._sign"]
    methods = {ast.literal_eval(call.args[0]) for call in calls}
    assert methods == {"GET", "PUT"}
    assert not [name for name, text in sources("app").items() if "generate_presigned_post" in text]


def test_nothing_asks_for_what_r2_does_not_have() -> None:
    words = re.compile(r"\b(put_object_tagging|put_object_acl|ACL=|SSEKMSKeyId|ServerSideEncryption|Tagging=)")
    assert [name for name, text in sources("app").items() if words.search(text)] == []


def test_every_client_uses_the_region_of_r2() -> None:
    named = re.compile(r'\b_?region(?:_name)? ?= ?"([\w-]+)"', re.IGNORECASE)
    regions = [found for text in sources("app/storage").values() for found in named.findall(text)]
    assert len(regions) >= 3
    assert set(regions) == {"auto"}


def test_boto3_sends_a_checksum_only_where_one_is_required() -> None:
    """By default it sends bodies in chunks over https, which R2 refuses, and not over http, where all tests are."""
    makers = [text for text in sources("app").values() if re.search(r"boto3\.client|\.client\(\s*\"s3\"", text)]
    assert makers
    assert [text[:80] for text in makers if 'request_checksum_calculation="when_required"' not in text] == []


def test_moto_is_not_used() -> None:
    """It accepts expired, changed and anonymous presigned requests: what passes on it proves nothing."""
    for lock in (ROOT / "requirements").glob("*.lock"):
        assert not re.search(r"^moto\b", lock.read_text(), re.MULTILINE)
