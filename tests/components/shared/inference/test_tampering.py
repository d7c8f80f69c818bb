"""A package that was tampered with is refused, with the reason."""

import json
import os
import shutil
from pathlib import Path

import onnx
import pytest

from components.serving.serve_detector.repository import Repository
from components.shared.contracts.errors import UserError
from components.shared.contracts.model import PackageLayout, file_digest
from components.shared.inference.package_store import PackageStore
from components.shared.inference.signature import check_signature, make_keys, sign
from tests.support.tiny_packages import seal


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    return make_keys(tmp_path_factory.mktemp("keys"))


class Served:
    """A signed package on a package store, as a server opens it."""

    def __init__(self, root, keys, package, other):
        self.package_store = PackageStore(root)
        self.keys = keys
        self.other = other
        self.digest = package.verify().digest
        self.package = PackageLayout(self.package_store.package("toys", self.digest))
        shutil.copytree(package.root, self.package.root)
        self.signature = self.package_store.signature("toys", self.digest)
        sign(self.package.root, self.signature, keys.private)
        self.package_store.set_current("toys", self.digest)

    def reseal(self):
        """Describe the files as they are now, as one who tampers would."""
        seal(self.package, "toys", ("car",))

    def rename(self):
        """Let the folder, its signature and `current` follow a new digest."""
        digest = self.package.verify().digest
        moved = PackageLayout(self.package_store.package("toys", digest))
        self.package.root.rename(moved.root)
        self.signature.rename(self.package_store.signature("toys", digest))
        self.package, self.signature = moved, self.package_store.signature("toys", digest)
        self.package_store.set_current("toys", digest)

    def open(self):
        return Repository(self.package_store, self.keys.public)._open("toys")


@pytest.fixture
def served(tmp_path, keys, tiny_package):
    return Served(tmp_path / "shelf", keys, tiny_package(), tiny_package(shift=3))


def flip(file: Path, place: int) -> None:
    content = bytearray(file.read_bytes())
    content[place] ^= 1
    file.write_bytes(content)


def weights_changed(it):
    graph = onnx.load(it.package.model)
    next(t for t in graph.graph.initializer if t.name == "one").raw_data = b"\0\0\0\x40"
    onnx.save(graph, it.package.model)


def byte_flipped(it):
    flip(it.package.golden, 3)


def file_added(it):
    (it.package.root / ".gitignore").write_text("*.onnx\n")


def file_removed(it):
    next((it.package.root / "golden").iterdir()).unlink()


def file_renamed(it):
    it.package.triton.rename(it.package.root / "config.txt")


def weights_of_another_package(it):
    shutil.copyfile(it.other.model, it.package.model)


def another_package_in_its_place(it):
    shutil.rmtree(it.package.root)
    shutil.copytree(it.other.root, it.package.root)


def description_edited(it):
    info = json.loads(it.package.info.read_text())
    info["postprocessing"]["score_threshold"] = 0.99
    it.package.info.write_text(json.dumps(info))


def description_and_name_edited(it):
    description_edited(it)
    it.rename()


def golden_edited_consistently(it):
    it.package.golden.write_text(it.package.golden.read_text().replace("0.96", "0.958"))
    it.reseal()
    it.rename()


def weights_changed_consistently(it):
    weights_changed(it)
    it.reseal()
    it.rename()


def signature_of_another_package(it):
    sign(it.other.root, it.signature, it.keys.private)


def signature_by_another_key(it):
    sign(it.package.root, it.signature, make_keys(it.package_store.root.parent / "theirs").private)


def signature_truncated(it):
    it.signature.write_bytes(it.signature.read_bytes()[:-200])


def signature_of_no_bytes(it):
    it.signature.write_bytes(b"")


def signature_byte_flipped(it):
    told = json.loads(it.signature.read_text())
    mark = told["dsseEnvelope"]["signatures"][0]["sig"]
    told["dsseEnvelope"]["signatures"][0]["sig"] = ("B" if mark[20] == "A" else "A").join(
        (mark[:20], mark[21:])
    )
    it.signature.write_text(json.dumps(told))


def signature_missing(it):
    it.signature.unlink()


def file_became_a_link(it):
    outside = it.package_store.root / "outside.onnx"
    it.package.model.rename(outside)
    it.package.model.symlink_to(outside)


def hard_link_to_weights_beside(it):
    os.link(it.other.model, it.package.root / "weights.bin")


def weights_in_another_file(it):
    graph = onnx.load(it.package.model)
    onnx.save(
        graph, it.package.model, save_as_external_data=True, location="weights.bin",
        size_threshold=0,
    )  # fmt: skip
    it.reseal()
    it.rename()
    sign(it.package.root, it.signature, it.keys.private)  # even the right key does not help


def name_that_leaves_the_folder(it):
    info = json.loads(it.package.info.read_text())
    (it.package.root.parent / "evil.onnx").write_bytes(b"evil")
    info["files"]["../evil.onnx"] = file_digest(it.package.root.parent / "evil.onnx")
    it.package.info.write_text(json.dumps(info))


def another_datasets_package(it):
    seal(it.package, "buses", ("car",))
    it.rename()
    sign(it.package.root, it.signature, it.keys.private)


TAMPERING = [
    (weights_changed, "model.onnx has digest"),
    (byte_flipped, "golden.jsonl has digest"),
    (file_added, ".gitignore is not described"),
    (file_removed, "golden/.*jpg is missing"),
    (file_renamed, "config.pbtxt is missing"),
    (weights_of_another_package, "model.onnx has digest"),
    (another_package_in_its_place, "the package at .* is "),
    (description_edited, "the package at .* is "),
    (description_and_name_edited, "is not valid: .*package.json"),
    (golden_edited_consistently, "is not valid: .*golden.jsonl"),
    (weights_changed_consistently, "is not valid: .*model.onnx"),
    (signature_of_another_package, "is not valid: .*Hash mismatch"),
    (signature_by_another_key, "is not valid: Key mismatch"),
    (signature_truncated, "is not valid"),
    (signature_of_no_bytes, "is not valid"),
    (signature_byte_flipped, "is not valid: it was not made with the expected key"),
    (signature_missing, "has no signature"),
    (file_became_a_link, "model.onnx is a link"),
    (hard_link_to_weights_beside, "weights.bin is not described"),
    (weights_in_another_file, "lie in another file"),
    (name_that_leaves_the_folder, "../evil.onnx is missing"),
    (another_datasets_package, "is of buses, expected toys"),
]


@pytest.mark.parametrize(("tamper", "reason"), TAMPERING, ids=[t.__name__ for t, _ in TAMPERING])
def test_a_package_that_was_tampered_with_is_refused_and_the_reason_named(served, tamper, reason):
    tamper(served)

    with pytest.raises(UserError, match=reason):
        served.open()


def test_a_rightly_signed_package_is_served(served):
    assert served.open().digest == served.digest


def test_a_signature_holds_wherever_the_package_lies(served, tmp_path):
    copy = tmp_path / "elsewhere" / "package"
    shutil.copytree(served.package.root, copy)

    check_signature(copy, served.signature, served.keys.public)
