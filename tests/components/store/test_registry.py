import threading
import time

import psycopg2
import pytest

from components.contracts.refusal import Refusal
from components.store.postgres import connect
from components.store.registry import PromotionConflict, Registry

FIRST, SECOND, THIRD = (letter * 64 for letter in "abc")
WINDOW = "d" * 64


@pytest.fixture
def connection(database):
    connection = connect(database)
    yield connection
    connection.close()


@pytest.fixture
def registry(connection):
    return Registry(connection)


def register(registry, model, dataset="car-parks"):
    return registry.register(
        dataset, model, f"file:///models/{model}", "5" * 64, {"seed": 1}, {"map50": 0.5}, "better"
    )


def everything(connection):
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT dataset, version, model FROM registry.versions ORDER BY 1, 2")
        versions = cursor.fetchall()
        cursor.execute("SELECT dataset, alias, version FROM registry.aliases ORDER BY 1, 2")
        aliases = cursor.fetchall()
        cursor.execute("SELECT action, model FROM registry.audit ORDER BY id")
        return versions, aliases, cursor.fetchall()


def at_once(database, *acts):
    """Run each act with a registry of its own, all let go at the same moment."""
    barrier, results = threading.Barrier(len(acts)), [None] * len(acts)

    def run(place, act):
        connection = connect(database)
        barrier.wait()
        try:
            results[place] = act(Registry(connection))
        except PromotionConflict as conflict:
            results[place] = conflict
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_a_dataset_begins_without_a_champion(registry):
    assert registry.champion("car-parks") is None


def test_versions_count_up_for_each_dataset_alone(registry):
    register(registry, FIRST)
    register(registry, SECOND)
    register(registry, THIRD, dataset="highway")

    assert [version.version for version in registry.versions("car-parks")] == [1, 2]
    assert [version.version for version in registry.versions("highway")] == [1]


def test_a_version_is_read_as_it_was_registered(registry):
    assert registry.versions("car-parks") == []

    version = register(registry, FIRST)

    assert registry.alias("car-parks", "challenger") == version
    assert version.metrics == {"map50": 0.5}
    assert version.lineage == {"seed": 1}


def test_registering_twice_is_registering_once(registry, connection):
    first = register(registry, FIRST)
    once = everything(connection)

    assert register(registry, FIRST) == first
    assert everything(connection) == once


def test_registering_the_champion_again_does_not_make_it_a_challenger(registry, connection):
    register(registry, FIRST)
    registry.promote("car-parks", FIRST, None)
    before = everything(connection)
    register(registry, FIRST)

    assert everything(connection) == before


def test_two_who_register_one_model_at_once_get_one_version(registry, database, connection):
    versions = at_once(database, *[lambda registry: register(registry, FIRST)] * 4)

    assert {version.version for version in versions} == {1}
    assert len(everything(connection)[0]) == 1


def test_models_registered_at_once_get_a_number_each(registry, database):
    versions = at_once(
        database, *[lambda registry, model=model: register(registry, model) for model in "abcd"]
    )

    assert sorted(version.version for version in versions) == [1, 2, 3, 4]


def test_a_promoted_model_serves_and_the_old_champion_is_remembered(registry):
    register(registry, FIRST)
    registry.promote("car-parks", FIRST, None)
    register(registry, SECOND)
    registry.promote("car-parks", SECOND, FIRST)

    assert registry.champion("car-parks").model == SECOND
    assert registry.alias("car-parks", "previous").model == FIRST
    assert registry.alias("car-parks", "challenger") is None


def test_promoting_another_leaves_the_challenger_that_waits(registry):
    register(registry, FIRST)
    register(registry, SECOND)
    registry.promote("car-parks", FIRST, None)

    assert registry.alias("car-parks", "challenger").model == SECOND


def test_promoting_the_champion_changes_nothing(registry, connection):
    register(registry, FIRST)
    registry.promote("car-parks", FIRST, None)
    before = everything(connection)
    registry.promote("car-parks", FIRST, None)

    assert everything(connection) == before


def test_a_promotion_that_expects_another_champion_is_refused_and_changes_nothing(
    registry, connection
):
    register(registry, FIRST)
    register(registry, SECOND)
    registry.promote("car-parks", FIRST, None)
    before = everything(connection)

    with pytest.raises(PromotionConflict, match=r"version 1 of car-parks \(aaaaaaaaaaaa\) is in"):
        registry.promote("car-parks", SECOND, None)
    assert everything(connection) == before


def test_an_unregistered_model_cannot_be_promoted(registry):
    with pytest.raises(Refusal, match="model aaaaaaaaaaaa is not registered for car-parks"):
        registry.promote("car-parks", FIRST, None)


@pytest.mark.parametrize("before", [None, FIRST], ids=["the first champion", "a later one"])
def test_of_two_who_promote_at_once_exactly_one_wins(registry, database, before):
    for model in (FIRST, SECOND, THIRD):
        register(registry, model)
    if before:
        registry.promote("car-parks", before, None)

    results = at_once(
        database,
        lambda registry: registry.promote("car-parks", SECOND, before),
        lambda registry: registry.promote("car-parks", THIRD, before),
    )

    (winner,) = [result for result in results if not isinstance(result, PromotionConflict)]
    assert registry.champion("car-parks") == winner


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


def test_the_first_decision_about_a_window_stands(registry):
    first = registry.decide(WINDOW, "car-parks", 40, True, "night fell", {"distance": 0.6})
    second = registry.decide(WINDOW, "car-parks", 90, False, "nothing", {})

    assert second == first
    assert first.retrain
    assert registry.last_watermark("car-parks") == 40


def test_before_the_first_decision_the_watermark_is_zero(registry):
    assert registry.last_watermark("car-parks") == 0


def test_a_training_is_submitted_once_for_each_window(registry):
    registry.decide(WINDOW, "car-parks", 40, True, "night fell", {})

    assert registry.submit(WINDOW, "car-parks", "make run")
    assert not registry.submit(WINDOW, "car-parks", "make run")


def test_of_many_who_submit_at_once_one_is_the_first(registry, database):
    registry.decide(WINDOW, "car-parks", 40, True, "night fell", {})

    results = at_once(
        database, *[lambda registry: registry.submit(WINDOW, "car-parks", "make run")] * 4
    )

    assert sorted(results) == [False, False, False, True]


def test_a_retried_run_ended_as_it_did_the_last_time(registry, connection):
    registry.record_outcome("run-1", "train", "FAILED", "no disk")
    registry.record_outcome("run-1", "train", "SUCCEEDED", "")

    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT run_id, state FROM registry.outcomes")
        assert cursor.fetchall() == [("run-1", "SUCCEEDED")]


def test_a_model_compared_again_keeps_its_version_and_the_newer_rival(registry):
    register(registry, FIRST)

    again = registry.register(
        "car-parks", FIRST, "", "5" * 64, {}, {}, "better still", compared_with=SECOND
    )

    assert (again.version, again.compared_with) == (1, SECOND)


def test_a_version_is_named_by_digest_or_alias(registry):
    version = register(registry, FIRST)

    assert (
        registry.named("car-parks", FIRST) == registry.named("car-parks", "challenger") == version
    )
    with pytest.raises(Refusal, match="car-parks has no model 'previous'"):
        registry.named("car-parks", "previous")


def test_a_version_is_named_by_the_first_digits_that_logs_print(registry):
    version = register(registry, FIRST)

    assert registry.named("car-parks", FIRST[:12]) == registry.named("car-parks", FIRST[:8])
    assert registry.named("car-parks", FIRST[:8].upper()) == version
    with pytest.raises(Refusal, match="no model 'aaaaaaa', expected a digest, its first 8"):
        registry.named("car-parks", FIRST[:7])


def test_digits_that_begin_two_digests_name_none(registry):
    register(registry, FIRST)
    other = register(registry, "a" * 20 + "b" * 44)

    with pytest.raises(Refusal, match=r"several models 'a{12}': version 1 .*, version 2"):
        registry.named("car-parks", "a" * 12)
    assert registry.named("car-parks", "a" * 20 + "b") == other


def test_digits_are_no_pattern(registry):
    register(registry, FIRST)

    with pytest.raises(Refusal, match="has no model"):
        registry.named("car-parks", "%" * 8)


def test_a_version_has_served_once_it_was_promoted(registry):
    version = register(registry, FIRST)

    assert not registry.has_served(version)
    registry.promote("car-parks", FIRST, None)
    assert registry.has_served(version)


def test_a_champion_that_steps_back_has_not_served_and_previous_is_who_was_it_before(registry):
    first, second, third = (register(registry, model) for model in (FIRST, SECOND, THIRD))
    registry.promote("car-parks", FIRST, None)
    registry.promote("car-parks", SECOND, FIRST)
    registry.promote("car-parks", THIRD, SECOND)

    registry.step_back(third, second, {"reason": "it does not load"})

    assert not registry.has_served(third)
    assert registry.champion("car-parks") == second
    assert registry.alias("car-parks", "previous") == first

    registry.promote("car-parks", FIRST, SECOND)
    registry.step_back(first, second, {"reason": "it does not load any more"})

    assert registry.alias("car-parks", "previous") is None


def test_who_is_not_champion_cannot_step_back(registry, connection):
    first, second = (register(registry, model) for model in (FIRST, SECOND))
    registry.promote("car-parks", FIRST, None)
    before = everything(connection)

    with pytest.raises(PromotionConflict, match="is in service by now"):
        registry.step_back(second, first, {})
    assert everything(connection) == before


def test_a_candidate_that_was_sent_back_never_served_and_is_no_challenger(registry):
    version = register(registry, FIRST)

    registry.roll_back(version, "it was slow", {"steps": []}, verdict=True)

    assert not registry.has_served(version)
    assert registry.alias("car-parks", "challenger") is None
    assert registry.named("car-parks", FIRST) == version


def test_who_was_sent_back_for_no_fault_of_its_own_stays_challenger(registry):
    version = register(registry, FIRST)

    registry.roll_back(version, "the servers were gone", {}, verdict=False)

    assert registry.alias("car-parks", "challenger") == version


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


def test_one_rollout_of_a_dataset_at_a_time_and_a_lost_connection_claims_nothing(
    registry, database
):
    other = connect(database)
    Registry(other).claim("car-parks")

    with pytest.raises(Refusal, match="another model of car-parks is being rolled out"):
        registry.claim("car-parks")
    registry.claim("highway")
    other.close()
    deadline = time.monotonic() + 5
    while True:
        try:
            return registry.claim("car-parks")
        except Refusal:  # the server has not noticed yet
            assert time.monotonic() < deadline
            time.sleep(0.01)
