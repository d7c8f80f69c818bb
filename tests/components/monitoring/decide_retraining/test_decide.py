import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.monitoring.decide_retraining.decide import decide, record, summary, watermark
from components.shared.contracts.errors import UserError
from components.shared.contracts.report import DriftReport, FrameFinding
from components.shared.contracts.snapshot import WindowInfo

FAR = {"brightness": 0.97, "boxes": 0.1}


def report(window="d", enough=True, changed=False, frames=60):
    return DriftReport(
        dataset="yard",
        model="a" * 64,
        window=window * 64,
        frames=frames,
        reference_frames=120,
        distances=FAR if enough else {},
        thresholds=dict.fromkeys(FAR, 0.3) if enough else {},
        drifted=("brightness",) if changed else (),
        enough=enough,
        changed=changed,
        reason="brightness fell from 0.46 to 0.14",
    )


def window(name="d", since=10, until=70, frames=60):
    return WindowInfo(
        dataset="yard", model="a" * 64, since=since, until=until, frames=frames, id=name * 64
    )


@given(enough=st.booleans(), changed=st.booleans())
def test_a_training_is_asked_for_only_if_the_frames_changed_for_sure(enough, changed):
    assert decide(report(enough=enough, changed=changed)).retrain is (enough and changed)


@given(enough=st.booleans(), changed=st.booleans())
def test_the_reason_holds_the_numbers_whatever_is_decided(enough, changed):
    drift = report(enough=enough, changed=changed)

    assert decide(drift).reason.endswith(drift.reason)


def found(*kinds):
    return tuple(FrameFinding(kind=kind, detail=f"{kind}: 17 of 18") for kind in kinds)


@given(
    enough=st.booleans(),
    changed=st.booleans(),
    kinds=st.lists(st.sampled_from(["repeated", "blank", "cameras_gone"]), min_size=1),
)
def test_frames_that_need_a_look_are_never_as_before(enough, changed, kinds):
    drift = report(enough=enough, changed=changed).model_copy(update={"findings": found(*kinds)})
    decision = decide(drift)

    assert "no drift" not in decision.reason
    assert all(f"{kind}: 17 of 18" in decision.reason for kind in kinds)
    assert decision.retrain is (enough and changed and set(kinds) == {"cameras_gone"})
    if not decision.retrain:
        assert summary(decision, drift).startswith("no retraining: faulty frames, inspect them: ")


def test_deleted_pictures_are_told_and_change_no_decision():
    drift = report().model_copy(update={"findings": found("pictures_gone")})

    assert decide(drift).reason == (
        "no drift: pictures_gone: 17 of 18; brightness fell from 0.46 to 0.14"
    )


def test_frames_that_were_too_few_count_again_next_time():
    assert watermark(window(), report(enough=False)) == 10
    assert watermark(window(), report()) == 70


@pytest.mark.parametrize("changed", [True, False], ids=["yes", "no"])
def test_every_decision_is_written_down_with_its_facts(registry, connection, changed):
    record(registry, "yard", window(), report(changed=changed))

    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT retrain, until, reason, facts FROM registry.decisions")
        ((retrain, until, reason, facts),) = cursor.fetchall()
    assert (retrain, until) == (changed, 70)
    assert "brightness fell from 0.46 to 0.14" in reason
    assert facts["drift"]["distances"] == FAR
    assert facts["window"]["frames"] == 60


def test_the_first_decision_about_a_window_stands(registry):
    record(registry, "yard", window(), report(changed=True))

    assert record(registry, "yard", window(), report(changed=False))[0].retrain


def test_a_window_without_frames_moves_nothing(registry):
    record(registry, "yard", window("c"), report("c"))
    empty = window("e", since=70, until=70, frames=0)
    record(registry, "yard", empty, report("e", enough=False, frames=0))

    assert registry.last_watermark("yard") == 70


def test_the_page_says_yes_or_no_and_shows_the_distances(registry):
    page = record(registry, "yard", window(), report(changed=True))[1]

    assert page.startswith("**retrain: yes**. drift: brightness fell")
    assert "| brightness | 0.97 | 0.30 |" in page


def test_a_report_about_another_window_is_refused(registry):
    with pytest.raises(
        UserError, match="the window is dddddddddddd of yard, but the drift report is of"
    ):
        record(registry, "yard", window(), report("e"))
