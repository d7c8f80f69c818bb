import psycopg2
import pytest
from psycopg2.errors import InsufficientPrivilege

from components.shared.store.migrate import main
from components.shared.store.postgres import SchemaError, connect, migrate
from pipelines.local.database import as_role

REFUSED = {
    "car_ingest": (
        "SELECT * FROM registry.versions",
        "DELETE FROM bronze.events",
        "UPDATE silver.frames SET split = 'test'",
        "DELETE FROM silver.predictions",
        "DELETE FROM bronze.offsets",
        "CREATE TABLE silver.mine (id integer)",
        "SELECT silver.settle_predictions()",
        "INSERT INTO public.migrations (name) VALUES ('0099_mine.sql')",
    ),
    "car_pipeline": (
        "SELECT * FROM bronze.events",
        "DELETE FROM silver.labels",
        "UPDATE silver.splits SET split = 'train'",
        "DELETE FROM registry.versions",
        "UPDATE registry.versions SET metrics = '{}'",
        "UPDATE registry.audit SET action = 'registered'",
        "DELETE FROM registry.decisions",
        "LOCK TABLE silver.predictions IN SHARE MODE",
        "CREATE SCHEMA mine",
    ),
    "car_reader": (
        "SELECT * FROM bronze.events",
        "SELECT * FROM quarantine.items",
        "INSERT INTO silver.splits VALUES ('toys', 'north', 'test')",
        "DELETE FROM registry.aliases",
    ),
}
GRANTED = {
    "car_ingest": ("SELECT * FROM bronze.offsets FOR UPDATE", "SELECT * FROM silver.frames"),
    "car_pipeline": (
        "SELECT * FROM gold.labelled_frames",
        "SELECT * FROM gold.served_frames",
        "SELECT silver.settle_predictions()",
        "UPDATE registry.versions SET compared_with = NULL",
        "INSERT INTO silver.splits VALUES ('toys', 'north', 'test')",
    ),
    "car_reader": ("SELECT * FROM gold.labelled_frames", "SELECT * FROM registry.audit"),
}


def pairs(table):
    return [(role, statement) for role, statements in table.items() for statement in statements]


@pytest.mark.parametrize(("role", "statement"), pairs(REFUSED))
def test_a_role_may_not_do_what_only_others_need(database, role, statement):
    connection = connect(as_role(database, role))

    with pytest.raises(InsufficientPrivilege), connection, connection.cursor() as cursor:
        cursor.execute(statement)
    connection.close()


@pytest.mark.parametrize(("role", "statement"), pairs(GRANTED))
def test_a_role_may_do_what_it_needs(database, role, statement):
    connection = connect(as_role(database, role))
    with connection, connection.cursor() as cursor:
        cursor.execute(statement)
    connection.close()


@pytest.mark.parametrize("role", GRANTED)
def test_whoever_finds_the_schema_up_to_date_needs_no_right_to_change_it(database, role):
    connection = connect(as_role(database, role))

    assert migrate(connection) == []
    connection.close()


def test_a_missing_migration_is_named_to_who_may_not_apply_it(database):
    forget(database, "0002_roles.sql")
    connection = connect(as_role(database, "car_ingest"))

    with pytest.raises(SchemaError, match=r"0002_roles\.sql.*owner"):
        migrate(connection)
    connection.close()


def test_an_empty_database_is_filled_by_its_owner_and_once(embedded_database, monkeypatch, capsys):
    admin = psycopg2.connect(embedded_database.url("postgres"))
    admin.autocommit = True
    with admin.cursor() as cursor:
        cursor.execute("CREATE DATABASE fresh")
    monkeypatch.setenv("DATABASE_URL", embedded_database.url("fresh"))

    assert (main(), main()) == (0, 0)
    said = capsys.readouterr().out
    assert "applied 0001_lake.sql, 0002_roles.sql" in said
    assert "the schema is up to date" in said
    with admin.cursor() as cursor:
        cursor.execute("DROP DATABASE fresh")
    admin.close()


def forget(database, migration):
    connection = connect(database)
    with connection, connection.cursor() as cursor:
        cursor.execute("DELETE FROM public.migrations WHERE name = %s", (migration,))
    connection.close()
