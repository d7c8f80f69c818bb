import threading

import pytest

from components.monitoring.extract_window.extract import extract
from components.shared.contracts.errors import UserError
from components.shared.contracts.record import read_lines
from components.shared.contracts.snapshot import ShardEntry, WindowFrame, WindowInfo, WindowLayout
from components.shared.store.objects import digest_bytes, frame_key
from components.shared.store.postgres import connect
from tests.support.served_frames import CHAMPION, OTHER, Lake, sha


@pytest.fixture
def lake(database, object_store):
    lake = Lake(database, object_store)
    yield lake
    lake.connection.close()


@pytest.fixture
def window(lake, tmp_path):
    """Extract a window and return what it is and the numbers of its frames."""

    def take(name="window", max_frames=500):
        layout = WindowLayout(tmp_path / name)
        info = extract(lake.connection, lake.objects, "yard", layout.root, max_frames=max_frames)
        assert info == WindowInfo.read(layout.info)
        return info, [frame.sha256 for frame in read_lines(WindowFrame, layout.frames)]

    return take


def decide(lake, info):
    lake.registry.decide(info.id, "yard", info.until, False, "same", {})


def test_a_window_holds_what_the_champion_answered_in_order(lake, window):
    lake.reign()
    lake.serve(3, 1, 2)

    info, frames = window()

    assert frames == [sha(3), sha(1), sha(2)]
    assert (info.frames, info.since, info.until, info.model) == (3, 0, 3, CHAMPION)


def test_the_next_window_begins_after_the_last_decision(lake, window):
    lake.reign()
    lake.serve(1, 2)
    decide(lake, window()[0])
    lake.serve(3)

    assert window("next")[1] == [sha(3)]


def test_the_same_rows_give_the_same_id_and_another_row_another(lake, window):
    lake.reign()
    lake.serve(1)
    first, again = window()[0], window("again")[0]
    lake.serve(2)

    assert first == again != window("later")[0]


def test_frames_served_anew_after_a_decision_are_another_window(lake, window):
    lake.reign()
    lake.serve(1, 2)
    first = window()[0]
    decide(lake, first)
    lake.serve(1, 2)

    second, frames = window("second")

    assert frames == [sha(1), sha(2)]
    assert second.id != first.id


def test_what_another_model_answered_or_another_dataset_was_asked_is_left_out(lake, window):
    lake.reign()
    lake.serve(1)
    lake.serve(2, model=OTHER)
    lake.serve(3, dataset="street")

    assert window()[1] == [sha(1)]


def test_a_frame_that_was_answered_twice_counts_once_as_answered_last(lake, window):
    lake.reign()
    lake.serve(1, 2, 1)

    assert window()[1] == [sha(2), sha(1)]


def test_of_too_many_frames_an_even_sample_is_kept_and_all_are_used_up(lake, window):
    lake.reign()
    lake.serve(*range(10))

    info, frames = window(max_frames=4)

    assert frames == [sha(0), sha(2), sha(5), sha(7)]
    assert info.until == 10


def test_a_window_without_a_champion_is_empty_and_says_so(lake, window, capsys):
    info, frames = window()

    assert (info.frames, info.model, info.until, frames) == (0, None, 0, [])
    assert "yard has no champion yet" in capsys.readouterr().out


def test_a_window_in_which_nothing_was_served_ends_where_it_begins(lake, window, capsys):
    lake.reign()
    lake.serve(1)
    decide(lake, window()[0])

    info, frames = window("second")

    assert (info.since, info.until, frames) == (1, 1, [])
    assert "served none since" in capsys.readouterr().out


def test_an_answer_whose_frame_has_not_arrived_is_left_out_aloud(lake, window, capsys):
    lake.reign()
    lake.serve(1)
    lake.serve(2, known=False)

    assert window()[1] == [sha(1)]
    assert "1 predictions left out: their frames are not ingested yet" in capsys.readouterr().out


def test_a_frame_whose_image_is_gone_is_left_out_aloud(lake, window, capsys):
    lake.reign()
    lake.serve(1, 2)
    lake.objects.delete(frame_key(sha(1)))

    assert window()[1] == [sha(2)]
    assert "1 frames left out: their images are deleted" in capsys.readouterr().out


def test_the_sentence_about_the_sample_counts_what_was_drawn_and_what_is_deleted(
    lake, window, capsys
):
    lake.reign()
    lake.serve(*range(10), 9, 9)
    lake.objects.delete(frame_key(sha(0)))

    info, frames = window(max_frames=4)

    assert (len(frames), info.frames, info.gone, info.served, info.answers) == (3, 3, 1, 10, 12)
    assert (
        "3 frames served by champion aaaaaaaaaaaa, an even sample of 4 from 10; "
        "1 more left out: their images are deleted"
    ) in capsys.readouterr().out


def test_a_window_whose_pictures_are_all_deleted_does_not_say_that_nothing_was_served(
    lake, window, capsys
):
    lake.reign()
    lake.serve(1, 2)
    for number in (1, 2):
        lake.objects.delete(frame_key(sha(number)))

    window()

    said = capsys.readouterr().out
    assert "served none" not in said
    assert (
        "0 frames served by champion aaaaaaaaaaaa; 2 more left out: their images are deleted"
        in said
    )


def test_the_index_leads_to_the_bytes_of_each_frame(lake, window, tmp_path):
    lake.reign()
    lake.serve(1)
    window()

    (entry,) = read_lines(ShardEntry, WindowLayout(tmp_path / "window").index)

    content = lake.objects.get(entry.shard)[entry.offset : entry.offset + entry.length]
    assert digest_bytes(content) == entry.sha256 == sha(1)


def test_an_answer_that_is_seen_late_is_never_passed_over(lake, window, database):
    """The transaction that took the lower number ends after the one with the higher number."""
    lake.reign()
    slow = connect(database)
    with slow.cursor() as cursor:
        lake.frame(cursor, 1, "yard", known=True)
        lake.answer(cursor, 1)
    lake.serve(2)
    threading.Timer(0.3, slow.commit).start()

    info, frames = window()

    slow.close()
    assert frames == [sha(1), sha(2)]
    assert info.until == 2


def test_a_window_of_less_than_one_frame_is_refused(window):
    with pytest.raises(UserError, match="max_frames is 0, expected 1 or more"):
        window(max_frames=0)
