from contextlib import closing

import psycopg2
import pytest

from components.shared.store.postgres import connect

INSERT = """
INSERT INTO quarantine.items (dedupe_key, source_name, reason, detail) VALUES ('a', '', '', '')
RETURNING id
"""


@pytest.fixture
def pool(databases):
    return databases


@pytest.fixture
def run(embedded_database):
    def run(name, statement):
        with closing(connect(embedded_database.url(name))) as connection:
            connection.autocommit = True
            cursor = connection.cursor()
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else None

    return run


def test_a_database_that_was_given_back_is_lent_again_without_rows(pool, run):
    name = pool.take()
    run(name, INSERT)
    pool.give_back(name)

    assert pool.take() == name
    assert run(name, "SELECT count(*) FROM quarantine.items") == [(0,)]


def test_numbers_of_rows_begin_again(pool, run):
    name = pool.take()
    first = run(name, INSERT)
    pool.give_back(name)

    assert run(pool.take(), INSERT) == first


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE extra ()",
        "ALTER TABLE silver.frames ADD extra text",
        "ALTER TABLE silver.frames DROP camera CASCADE",
        "REVOKE SELECT ON silver.frames FROM car_reader",
        "DROP TRIGGER append_only ON bronze.events",
        "DELETE FROM public.migrations WHERE name = '0002_roles.sql'",
    ],
)
def test_a_database_with_another_schema_is_not_lent_again(pool, run, statement):
    name = pool.take()
    run(name, statement)
    pool.give_back(name)

    assert pool.take() != name


def test_a_session_that_a_test_left_open_is_ended(pool, embedded_database):
    name = pool.take()
    left = connect(embedded_database.url(name))
    left.cursor().execute("LOCK TABLE quarantine.items")
    pool.give_back(name)

    with pytest.raises(psycopg2.OperationalError):
        left.cursor().execute("SELECT 1")
    left.close()
