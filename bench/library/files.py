"""A handler run the plain way, on a connection or on the bytes of a database file: what the baselines share."""

import sqlite3

from app.library.write import Handler, Reply


def transaction(db: sqlite3.Connection, handler: Handler[Reply]) -> Reply:
    """Commits what the handler did, or nothing when it raises."""
    db.execute("BEGIN")
    try:
        answer = handler(db)
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")
    return answer


def applied(image: bytes, handler: Handler[Reply]) -> tuple[Reply, bytes]:
    """The handler's answer and the image after it."""
    db = sqlite3.connect(":memory:", isolation_level=None)
    try:
        db.deserialize(image)
        db.row_factory = sqlite3.Row
        db.execute("PRAGMA foreign_keys=ON")
        return transaction(db, handler), db.serialize()
    finally:
        db.close()
