import pytest

from app.kit.owner import Owner, parse_owner


@pytest.mark.parametrize("name", ["a", "dev-staging", "A_1", "x" * 64])
def test_plain_names_are_owners(name: str) -> None:
    assert parse_owner(name, "default") == Owner(name, "default")


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", "../b", "a b", "ä", "-a", "_a", "a\n", "a%2Fb", "x" * 65, "a.b"]
)
def test_what_could_leave_its_prefix_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="user id"):
        parse_owner(name, "default")
    with pytest.raises(ValueError, match="profile id"):
        parse_owner("a", name)
