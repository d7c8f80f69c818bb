"""Commits to the display group: a failure is no harm, and is not repeated at once."""

import pytest
from kafka.errors import (
    GroupAuthorizationFailedError,
    NoError,
    NotCoordinatorError,
    UnknownTopicOrPartitionError,
)

from components.data.ingest_events.display import Display


class Group:
    """An admin client that answers as it is told."""

    def __init__(self, *answers):
        self.answers, self.asked = list(answers), []

    def alter_group_offsets(self, group, offsets):
        self.asked.append({(at.topic, at.partition): to.offset for at, to in offsets.items()})
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return dict(zip(offsets, answer, strict=True))


def test_only_offsets_that_changed_are_committed():
    group = Group([NoError, NoError], [NoError])
    display = Display(group)
    display.show({("a", 0): 1, ("a", 1): 1})
    display.show({("a", 0): 1, ("a", 1): 2})
    display.show({("a", 0): 1, ("a", 1): 2})

    assert group.asked == [{("a", 0): 1, ("a", 1): 1}, {("a", 1): 2}]


def test_an_offset_that_was_refused_is_committed_again_after_a_pause():
    group = Group([NoError, UnknownTopicOrPartitionError], [NoError])
    display = Display(group)
    for _ in range(2):
        display.show({("a", 0): 1, ("a", 1): 1})
    display.not_before = 0.0
    display.show({("a", 0): 1, ("a", 1): 1})

    assert group.asked == [{("a", 0): 1, ("a", 1): 1}, {("a", 1): 1}]


@pytest.mark.parametrize("error", [NotCoordinatorError(), GroupAuthorizationFailedError()])
def test_a_group_that_cannot_be_asked_is_left_alone_for_a_while(error, capsys):
    group = Group(error)
    display = Display(group)
    for _ in range(3):
        display.show({("a", 0): 1})

    assert len(group.asked) == 1
    refused = isinstance(error, GroupAuthorizationFailedError)
    assert ("may not commit" in capsys.readouterr().out) == refused
