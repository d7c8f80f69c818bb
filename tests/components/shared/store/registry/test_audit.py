"""What was done to the models of a dataset is told in order, and cannot be rewritten."""

import psycopg2
import pytest

from tests.support.registered_models import FIRST, SECOND, everything, register


def test_the_audit_tells_what_happened_in_order(registry, connection):
    register(registry, FIRST)
    register(registry, SECOND)
    registry.promote("car-parks", FIRST, None)
    registry.promote("car-parks", SECOND, FIRST)
    registry.promote("car-parks", FIRST, SECOND)

    assert everything(connection)[2] == [
        ("registered", FIRST),
        ("registered", SECOND),
        ("promoted", FIRST),
        ("promoted", SECOND),
        ("restored", FIRST),
    ]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE registry.audit SET action = 'nothing'",
        "DELETE FROM registry.audit",
        "TRUNCATE registry.audit",
    ],
)
def test_the_audit_cannot_be_rewritten(registry, connection, change):
    register(registry, FIRST)

    with (
        pytest.raises(psycopg2.errors.RaiseException, match="append only"),
        connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(change)


def test_the_history_of_a_dataset_tells_reasons_and_no_other_dataset(registry):
    version = register(registry, FIRST)
    register(registry, SECOND, dataset="highway")
    registry.promote("car-parks", FIRST, None, {"steps": [5, 100]})
    registry.roll_back(version, "it was slow", {}, verdict=True)

    told = [(entry.action, entry.detail) for entry in registry.history("car-parks")]

    assert told == [
        ("registered", {"reason": "better"}),
        ("promoted", {"instead_of": None, "steps": [5, 100]}),
        ("rolled_back", {"reason": "it was slow", "verdict": True}),
    ]


def test_the_audit_always_says_whether_an_end_is_a_verdict_on_the_model(registry):
    first, second = (register(registry, model) for model in (FIRST, SECOND))
    registry.roll_back(second, "the servers were gone", {}, verdict=False)
    registry.roll_back(second, "it was slow", {"verdict": "of the caller"}, verdict=True)
    registry.promote("car-parks", FIRST, None)
    registry.promote("car-parks", SECOND, FIRST)
    registry.step_back(second, first, {"reason": "it does not load"})

    ends = [entry for entry in registry.history("car-parks") if entry.action.endswith("_back")]

    assert [entry.detail["verdict"] for entry in ends] == [False, True, True]
