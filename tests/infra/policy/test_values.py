"""Marks of the protocol, secrets that do not show themselves, and names that tell a secret."""

import pulumi_policy.deserialize as sdk
import pulumi_policy.proxy as proxy
import pytest

from infra.policy import values
from infra.policy.values import UNKNOWN, Secret, Value, from_wire, is_secret_name, plain_texts


def test_the_marks_are_those_of_the_policy_sdk() -> None:
    assert (values.MARK, values.SECRET) == (sdk.SPECIAL_SIG_KEY, sdk.SPECIAL_SECRET_SIG)
    assert {text for name, text in vars(proxy).items() if name.startswith("UNKNOWN_")} == values.UNKNOWNS


def test_from_wire_keeps_secrets_and_unknowns_apart_at_any_depth() -> None:
    [unknown, *_] = values.UNKNOWNS
    wire = {"a": [{values.MARK: values.SECRET, "value": {"b": unknown}}, 1, None, True, "text"]}
    assert from_wire(wire) == {"a": [Secret({"b": UNKNOWN}), 1, None, True, "text"]}


def test_from_wire_takes_nothing_that_is_no_property() -> None:
    with pytest.raises(TypeError, match="object"):
        from_wire({"a": object()})


def test_a_secret_never_shows_itself() -> None:
    assert "hidden" not in f"{Secret('hidden')!r} {Secret('hidden')}"


def test_plain_texts_have_paths_and_leave_secrets_out() -> None:
    value: Value = {"a": ["x", {"b": "y"}], "c": Secret("z"), "d": UNKNOWN, "e": 1}
    assert dict(plain_texts(value)) == {"a[0]": "x", "a[1].b": "y"}


@pytest.mark.parametrize(
    "name",
    ["R2_SECRET_ACCESS_KEY", "verify_token", "verifyToken", "apiKey", "DB_PASSWORD", "api-token", "KEY"],
)
def test_names_of_secrets(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name", ["secrets_version", "R2_ACCESS_KEY_ID", "tokenId", "bucketKeys", "publicKey", "keyboard", "SOURCE_HASH", ""]
)
def test_names_of_no_secrets(name: str) -> None:
    assert not is_secret_name(name)
