import httpx
from cloudflare import AsyncCloudflare

from tests.infra.localcloud.cloudflare.support import ACCOUNT, result


async def test_the_sdk_sees_one_active_token_and_one_account(sdk: AsyncCloudflare) -> None:
    verified = await sdk.user.tokens.verify()
    assert verified is not None
    assert verified.status == "active"
    assert [account.id async for account in sdk.accounts.list()] == [ACCOUNT]
    account = await sdk.accounts.get(account_id=ACCOUNT)
    assert account is not None
    assert account.name == "Local"


async def test_the_user_is_a_member_of_the_account(api: httpx.AsyncClient, sdk: AsyncCloudflare) -> None:
    members = [member async for member in sdk.memberships.list()]
    assert [member.account.id for member in members if member.account] == [ACCOUNT]
    assert result(await api.get("/user"))["email"].endswith(".test")


async def test_accounts_are_found_by_name(api: httpx.AsyncClient) -> None:
    assert len(result(await api.get("/accounts", params={"name": "local"}))) == 1
    assert result(await api.get("/accounts", params={"name": "other"})) == []
