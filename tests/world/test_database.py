"""A database that threads share."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from sandbox.world.database import Database


def test_a_transaction_is_whole_or_nothing(tmp_path: Path) -> None:
    database = Database(tmp_path / "file")
    with database.alone() as connection:
        connection.execute("CREATE TABLE thing (name TEXT)")
    with database.transaction() as connection:
        connection.execute("INSERT INTO thing VALUES ('kept')")

    def break_off() -> None:
        with database.transaction() as connection:
            connection.execute("INSERT INTO thing VALUES ('lost')")
            raise KeyError

    with pytest.raises(KeyError):
        break_off()
    with database.alone() as connection:
        assert connection.execute("SELECT name FROM thing").fetchall() == [("kept",)]
    database.close()


def test_threads_take_turns() -> None:
    database = Database(":memory:")
    with database.alone() as connection:
        connection.execute("CREATE TABLE counter AS SELECT 0 AS value")

    def count() -> None:
        for _ in range(50):
            with database.transaction() as connection:
                (value,) = connection.execute("SELECT value FROM counter").fetchone()
                connection.execute("UPDATE counter SET value = ?", (value + 1,))

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.alone() as connection:
        assert connection.execute("SELECT value FROM counter").fetchone() == (200,)
    database.close()
