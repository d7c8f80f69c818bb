from pathlib import Path

import pytest

from components.__main__ import main
from components.promotion.register_model.register import Candidate, register, winning
from components.shared.contracts.absence import mark_absent
from components.shared.contracts.errors import UserError
from components.shared.contracts.model import PackageError, PackageLayout, RegisteredLayout
from components.shared.contracts.policy import PromotionPolicy
from components.shared.contracts.record import read_lines, write_lines
from components.shared.contracts.report import (
    ModelReport,
    ReferenceFrame,
    ReferencesLayout,
    Report,
    Verdict,
    VerdictLayout,
)
from components.shared.contracts.snapshot import SnapshotInfo, SnapshotLayout
from components.shared.inference.signature import check_signature, make_keys
from components.shared.store.objects import Objects


@pytest.fixture
def objects(object_store):
    return Objects(object_store)


@pytest.fixture
def candidate(tiny_package, tmp_path):
    """Make the challenger of a comparison, with all that the evaluator leaves."""

    def make(shift=0.0):
        package = tiny_package(shift=shift)
        root = tmp_path / f"run-{shift}"
        trained = root / "trained"
        trained.mkdir(parents=True)
        (trained / "weights.npz").write_bytes(b"weights")
        numbers = ModelReport(
            role="from_scratch", model=package.verify().digest, coco={"map": 0.5, "map50": 0.7},
            slices={}, latency_ms_p50=9, latency_ms_p95=11, size_bytes=1,
        )  # fmt: skip
        Report(
            dataset="toys", snapshot="0" * 64, split="test", images=1, boxes=1,
            models=(numbers,), absent={"fine_tuned": "no champion"},
        ).write(root / "report.json")  # fmt: skip
        frame = ReferenceFrame(sha256="1" * 64, camera="gate", boxes=(), descriptors={})
        references = ReferencesLayout(root / "references")
        write_lines([frame], references.frames("from_scratch"))
        return Candidate(
            "from_scratch", package.root, trained, root / "report.json", references,
            "it is better", "# toys: model",
        )  # fmt: skip

    return make


def toys(root):
    """Write a snapshot that holds nothing."""
    SnapshotInfo(
        id="0" * 64, dataset="toys", classes=("car",), as_of=None, images={}, boxes={},
        left_out={}, refused={},
    ).write(SnapshotLayout(root).info)  # fmt: skip
    return root


def stored(object_store):
    root = Path(object_store.removeprefix("file://"))
    return {str(file.relative_to(root)) for file in root.rglob("*") if file.is_file()}


def test_a_version_is_stored_whole_under_its_digest(candidate, registry, objects, tmp_path):
    winner = candidate()
    version = register(registry, objects, winner)
    kept = RegisteredLayout(tmp_path / "kept")
    objects.get_folder(RegisteredLayout.prefix(version.model), kept.root)

    assert PackageLayout(kept.package).verify().digest == version.model
    assert (kept.trained / "weights.npz").read_bytes() == b"weights"
    assert Report.read(kept.report) == Report.read(winner.report)
    assert len(read_lines(ReferenceFrame, kept.reference)) == 1
    assert kept.card.read_text() == "# toys: model"


def test_a_version_carries_its_numbers_its_lineage_and_its_reason(candidate, registry, objects):
    register(registry, objects, candidate())
    version = registry.alias("toys", "challenger")

    assert version.metrics["map50"] == 0.7
    assert version.metrics["latency_ms_p95"] == 11
    assert version.lineage["start"] == "scratch"
    assert version.reason == "it is better"


def test_registering_twice_is_registering_once(candidate, registry, objects, object_store):
    winner = candidate()
    first = register(registry, objects, winner)
    files = stored(object_store)

    assert register(registry, objects, winner) == first
    assert registry.versions("toys") == [first]
    assert stored(object_store) == files


def test_a_run_that_was_killed_while_storing_is_completed(candidate, registry, objects):
    winner = candidate()
    digest = PackageLayout(winner.package).verify().digest
    objects.put(f"{RegisteredLayout.prefix(digest)}/package/model.onnx", b"half of i")

    assert register(registry, objects, winner).version == 1


def test_a_registered_model_keeps_the_report_it_was_registered_with(
    candidate, registry, objects, tmp_path
):
    winner = candidate()
    version = register(registry, objects, winner)
    report = Report.read(winner.report)
    report.model_copy(update={"images": 99}).write(winner.report)
    register(registry, objects, winner)

    key = f"{RegisteredLayout.prefix(version.model)}/report.json"
    assert Report.model_validate_json(objects.get(key)) == report


def test_a_changed_package_is_refused_and_nothing_is_registered(candidate, registry, objects):
    winner = candidate()
    (winner.package / "config.pbtxt").write_text("name: 'other'")

    with pytest.raises(PackageError, match=r"config\.pbtxt has digest"):
        register(registry, objects, winner)
    assert registry.versions("toys") == []


def test_a_stored_package_that_was_damaged_since_is_noticed(candidate, registry, objects):
    winner = candidate()
    version = register(registry, objects, winner)
    objects.put(f"{RegisteredLayout.prefix(version.model)}/package/model.onnx", b"other")

    with pytest.raises(PackageError, match=r"model\.onnx has digest"):
        register(registry, objects, winner)


def test_a_report_of_another_model_is_refused(candidate, registry, objects):
    winner, other = candidate(0.0), candidate(1.0)

    with pytest.raises(UserError, match="the report tells of"):
        register(registry, objects, Candidate(
            winner.role, winner.package, winner.trained, other.report, winner.references, "", ""
        ))  # fmt: skip


def test_without_a_winner_there_is_nothing_to_register(tmp_path):
    candidates = {"fine_tuned": ("a", "b"), "from_scratch": ("a", "b")}

    with pytest.raises(UserError, match="winner is 'none', expected one of"):
        winning("none", candidates, *[tmp_path] * 4)


def test_an_absent_winner_is_refused_with_its_reason(tmp_path):
    mark_absent(tmp_path, "nothing new to learn")

    with pytest.raises(UserError, match="it is absent: nothing new to learn"):
        winning("fine_tuned", {"fine_tuned": (tmp_path, tmp_path)}, *[tmp_path] * 4)


def test_the_wrapper_runs_by_hand(
    candidate, registry, database, object_store, tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv("DATABASE_URL", database)
    monkeypatch.setenv("OBJECT_STORE_URL", object_store)
    winner, verdict = candidate(), VerdictLayout(tmp_path / "verdict")
    Verdict(
        winner="from_scratch", reason="it is better", policy=PromotionPolicy()
    ).write(verdict.verdict)  # fmt: skip
    mark_absent(tmp_path / "absent", "no champion")
    options = {
        "winner": "from_scratch", "report": winner.report, "verdict": verdict.root,
        "references": winner.references.root, "fine-tuned-package": tmp_path / "absent",
        "fine-tuned-trained": tmp_path / "absent", "from-scratch-package": winner.package,
        "from-scratch-trained": winner.trained, "snapshot": toys(tmp_path / "snapshot"),
        "card": tmp_path / "card.md",
    }  # fmt: skip
    digest = main(
        ["register_model", *(str(part) for name, value in options.items()
                             for part in (f"--{name}", value))]
    )  # fmt: skip

    assert registry.alias("toys", "challenger").model == digest
    assert (tmp_path / "card.md").read_text().startswith(f"# toys: model {digest[:12]}")
    assert (
        f"version 1 of toys ({digest[:12]}) is registered as challenger" in capsys.readouterr().out
    )


def test_with_a_key_the_package_is_signed_as_it_reads_back(candidate, registry, objects, tmp_path):
    keys = make_keys(tmp_path / "keys")
    version = register(registry, objects, candidate(), keys.private)
    kept = RegisteredLayout(tmp_path / "kept")
    objects.get_folder(RegisteredLayout.prefix(version.model), kept.root)

    check_signature(kept.package, kept.signature, keys.public)


def test_a_model_that_was_registered_unsigned_is_signed_by_the_next_call(
    candidate, registry, objects, tmp_path
):
    winner, keys = candidate(), make_keys(tmp_path / "keys")
    signature = f"{RegisteredLayout.prefix(register(registry, objects, winner).model)}/package.sig"
    unsigned = objects.exists(signature)
    register(registry, objects, winner, keys.private)

    assert (unsigned, objects.exists(signature)) == (False, True)
