"""Clients that write until told to stop, over servers that die, and remember what became of each write."""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field

import httpx

GIVES_UP = 0.2
TIMEOUT_S = 20.0
NEW_MEDIA = {"filename": "match.mp4", "content_type": "video/mp4", "size_bytes": 1000}


@dataclass
class Tally:
    """What clients were told: each write is known by its opponent, which no two writes share.

    `acknowledged` has the id of the game made; `refused` were answered with 409, `given_up` had no answer;
    `backwards` are reads older than what the session had been told.
    """

    acknowledged: dict[str, str] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    given_up: set[str] = field(default_factory=set)
    backwards: list[str] = field(default_factory=list)
    retries: Counter[str] = field(default_factory=Counter)

    def mistakes(self, games: list[dict[str, str]]) -> list[str]:
        """What the library's games contradict: lost, made twice, made though refused, or made by nobody."""
        made = Counter(game["opponent"] for game in games)
        ids = {game["opponent"]: game["id"] for game in games}
        known = self.acknowledged.keys() | self.given_up
        return [
            *(f"{write} was acknowledged and is lost" for write in self.acknowledged if not made[write]),
            *(f"{write} is there {count} times" for write, count in made.items() if count > 1),
            *(f"{write} was refused and is there" for write in self.refused if made[write]),
            *(f"{write} is there unasked" for write in made if write not in known | self.refused),
            *(f"{write} is another one" for write, made_id in self.acknowledged.items() if ids.get(write) != made_id),
        ]


@dataclass
class Session:
    """One browser tab; `seen` is the newest version that it was told, `durable` that of its last acknowledged write."""

    name: str
    seen: int = 0
    durable: int = 0

    def headers(self) -> dict[str, str]:
        return {"X-Session-ID": self.name, "X-Library-Version": str(self.seen)}

    def take(self, response: httpx.Response) -> int:
        version = int(response.headers["x-library-version"])
        self.seen = max(self.seen, version)
        return version


class Writer:
    """One client of a session: it writes, repeats what got no answer at any server, and reads again after a 409."""

    def __init__(self, name: str, session: Session, urls: list[str], tally: Tally, draw: random.Random) -> None:
        self._name = name
        self._session = session
        self._urls = urls
        self._tally = tally
        self._draw = draw

    async def run(self, media_id: str, stop: asyncio.Event) -> None:
        game = {"played_on": "2026-09-12", "venue": "home", "media_ids": [media_id]}
        async with httpx.AsyncClient(timeout=TIMEOUT_S) as http:
            number = 0
            while not stop.is_set():
                number += 1
                await self._write(http, {**game, "opponent": f"{self._name}-{number}"})

    async def _write(self, http: httpx.AsyncClient, game: dict[str, object]) -> None:
        write = str(game["opponent"])
        headers = {**self._session.headers(), "Idempotency-Key": write}
        response = await self._ask(http, "POST", "/api/games", may_give_up=True, json=game, headers=headers)
        if response is None:
            self._tally.given_up.add(write)
        elif response.status_code == 409:
            assert response.json()["code"] == "stale_session", response.text
            self._tally.refused.add(write)
            await self._read(http)
        else:
            assert response.status_code == 201, response.text
            self._tally.acknowledged[write] = response.json()["id"]
            self._session.durable = max(self._session.durable, self._session.take(response))

    async def _read(self, http: httpx.AsyncClient) -> None:
        """Until what it reads is fresh: while the store takes its time a read is stale, and still never goes back."""
        status = ""
        while status != "synced":
            durable = self._session.durable
            response = await self._ask(http, "GET", "/api/media", headers=self._session.headers())
            assert response is not None
            assert response.status_code == 200, response.text
            version = self._session.take(response)
            if version < durable:
                self._tally.backwards.append(f"{self._session.name} was told {durable} and then read {version}")
            status = response.headers["x-sync-status"]
            assert status in ("synced", "stale")
            self._tally.retries[status] += status != "synced"

    async def _ask(
        self, http: httpx.AsyncClient, method: str, path: str, *, may_give_up: bool = False, **request: object
    ) -> httpx.Response | None:
        """The same request at any server until one answers; None when the client loses patience instead."""
        while True:
            try:
                response = await http.request(method, self._draw.choice(self._urls) + path, **request)  # type: ignore[arg-type]
                if response.status_code != 503:
                    return response
                self._tally.retries["503"] += 1
            except httpx.TransportError as error:
                self._tally.retries[type(error).__name__] += 1
                # A server that is away has done nothing; only the others leave it open what happened.
                if may_give_up and not isinstance(error, httpx.ConnectError) and self._draw.random() < GIVES_UP:
                    return None
            await asyncio.sleep(self._draw.uniform(0, 0.1))
