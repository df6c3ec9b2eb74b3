"""S3 keys, each for one bucket. Kept in memory too, as every request needs one. SigV4 needs the secret in clear."""

from dataclasses import dataclass, field

from infra.localcloud.r2.protocol import Permission
from infra.localcloud.r2.store.database import Database


@dataclass(frozen=True)
class Grant:
    secret: str = field(repr=False)
    bucket: str
    permission: Permission


class CredentialStore:
    def __init__(self, database: Database) -> None:
        self._database = database
        rows = database.rows("select access_key_id, secret, bucket, permission from credentials")
        self._grants = {row[0]: Grant(*row[1:]) for row in rows}

    def get(self, access_key_id: str) -> Grant | None:
        return self._grants.get(access_key_id)

    def secret_of(self, access_key_id: str) -> str | None:
        grant = self._grants.get(access_key_id)
        return grant.secret if grant else None

    def put(self, access_key_id: str, grant: Grant) -> None:
        self._database.run(
            "insert or replace into credentials values(?, ?, ?, ?)",
            (access_key_id, grant.secret, grant.bucket, grant.permission),
        )
        self._grants[access_key_id] = grant

    def delete(self, access_key_id: str) -> None:
        self._database.run("delete from credentials where access_key_id = ?", (access_key_id,))
        self._grants.pop(access_key_id, None)
