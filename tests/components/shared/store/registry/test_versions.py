"""A model that is registered gets a number, and is found by its digest, digits or alias."""

import pytest

from components.shared.contracts.errors import UserError
from tests.support.registered_models import (
    FIRST,
    SECOND,
    THIRD,
    at_once,
    everything,
    register,
)


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


def test_two_who_register_one_model_at_once_get_one_version(registry, database, connection):
    versions = at_once(database, *[lambda registry: register(registry, FIRST)] * 4)

    assert {version.version for version in versions} == {1}
    assert len(everything(connection)[0]) == 1


def test_models_registered_at_once_get_a_number_each(registry, database):
    versions = at_once(
        database, *[lambda registry, model=model: register(registry, model) for model in "abcd"]
    )

    assert sorted(version.version for version in versions) == [1, 2, 3, 4]


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
    with pytest.raises(UserError, match="car-parks has no model 'previous'"):
        registry.named("car-parks", "previous")


def test_a_version_is_named_by_the_first_digits_that_logs_print(registry):
    version = register(registry, FIRST)

    assert registry.named("car-parks", FIRST[:12]) == registry.named("car-parks", FIRST[:8])
    assert registry.named("car-parks", FIRST[:8].upper()) == version
    with pytest.raises(UserError, match="no model 'aaaaaaa', expected a digest, its first 8"):
        registry.named("car-parks", FIRST[:7])


def test_digits_that_begin_two_digests_name_none(registry):
    register(registry, FIRST)
    other = register(registry, "a" * 20 + "b" * 44)

    with pytest.raises(UserError, match=r"several models 'a{12}': version 1 .*, version 2"):
        registry.named("car-parks", "a" * 12)
    assert registry.named("car-parks", "a" * 20 + "b") == other


def test_digits_are_no_pattern(registry):
    register(registry, FIRST)

    with pytest.raises(UserError, match="has no model"):
        registry.named("car-parks", "%" * 8)
