"""Who serves, who served before, and who is the challenger; of two at once one wins."""

import pytest

from components.shared.contracts.errors import UserError
from components.shared.store.registry import PromotionConflictError
from tests.support.registered_models import (
    FIRST,
    SECOND,
    THIRD,
    at_once,
    everything,
    register,
)


def test_a_dataset_begins_without_a_champion(registry):
    assert registry.champion("car-parks") is None


def test_registering_the_champion_again_does_not_make_it_a_challenger(registry, connection):
    register(registry, FIRST)
    registry.promote("car-parks", FIRST, None)
    before = everything(connection)
    register(registry, FIRST)

    assert everything(connection) == before


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

    with pytest.raises(
        PromotionConflictError, match=r"version 1 of car-parks \(aaaaaaaaaaaa\) is in"
    ):
        registry.promote("car-parks", SECOND, None)
    assert everything(connection) == before


def test_an_unregistered_model_cannot_be_promoted(registry):
    with pytest.raises(UserError, match="model aaaaaaaaaaaa is not registered for car-parks"):
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

    (winner,) = [result for result in results if not isinstance(result, PromotionConflictError)]
    assert registry.champion("car-parks") == winner


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

    with pytest.raises(PromotionConflictError, match="is in service now"):
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
