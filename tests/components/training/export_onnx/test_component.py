from datetime import UTC, datetime

from kfp import dsl

from components.shared.contracts.absence import absence, mark_absent
from components.shared.contracts.record import write_lines
from components.shared.contracts.snapshot import SnapshotImage, SnapshotInfo, SnapshotLayout
from components.shared.store.objects import Objects, digest_bytes
from components.shared.store.shards import pack_shards
from components.training.export_onnx.component import export_onnx
from tests.support.tiny_packages import jpeg_of, scene

JPEG = jpeg_of(scene({(0, 0): 0}))


def write_snapshot(folder, objects):
    """A snapshot of one test image."""
    sha256 = digest_bytes(JPEG)
    (shard,) = pack_shards([sha256], lambda _: JPEG)
    objects.put(shard.key, shard.content)
    layout = SnapshotLayout(folder)
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    image = SnapshotImage(
        sha256=sha256, width=64, height=64, camera="a", group="a", split="test",
        captured_at=noon, source_name="a.jpg", boxes=(),
    )  # fmt: skip
    write_lines([image], layout.manifest)
    write_lines(shard.entries, layout.index)
    SnapshotInfo(
        id="0" * 64, dataset="toys", classes=("car",), as_of=noon, images={"test": 1},
        boxes={"test": 0}, left_out={}, refused={},
    ).write(layout.info)  # fmt: skip


def test_the_wrapper_passes_on_that_a_model_is_absent(tmp_path, object_store, monkeypatch, capsys):
    monkeypatch.setenv("OBJECT_STORE_URL", object_store)
    write_snapshot(tmp_path / "snapshot", Objects(object_store))
    mark_absent(tmp_path / "trained", "there is no champion yet")

    digest = export_onnx.python_func(
        dsl.Dataset(uri=str(tmp_path / "snapshot")),
        dsl.Model(uri=str(tmp_path / "trained")),
        dsl.Model(uri=str(tmp_path / "package")),
        dsl.Markdown(uri=str(tmp_path / "parity.md")),
    )

    assert (digest, absence(tmp_path / "package")) == ("", "there is no champion yet")
    assert "skipped: there is no champion yet" in capsys.readouterr().out
