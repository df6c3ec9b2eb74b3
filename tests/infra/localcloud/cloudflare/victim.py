"""A stand-in in a process of its own, for tests that kill it: prints the URLs of its API and sites, then serves."""

import asyncio
import sys
from pathlib import Path

from infra.localcloud.cloudflare import Cloudflare
from tests.infra.localcloud.cloudflare.fake_buckets import FakeBuckets
from tests.infra.localcloud.cloudflare.support import ACCOUNT, SITE_PROJECT, TOKEN, ZONE, ZONE_ID


async def serve(state: Path) -> None:
    server = Cloudflare(
        state=state,
        buckets=FakeBuckets(),
        account_id=ACCOUNT,
        tokens=frozenset({TOKEN}),
        zones={ZONE: ZONE_ID},
        site_project=SITE_PROJECT,
    )
    await server.start()
    sys.stdout.write(f"{server.url} {server.site.url}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
