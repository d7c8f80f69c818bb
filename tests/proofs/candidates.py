"""Packages to roll out, made from one, and pictures for clients to ask about."""

import itertools
import shutil
from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper

from components.shared.contracts.model import (
    GoldenAnswer,
    PackageInfo,
    PackageLayout,
    RegisteredLayout,
    file_digest,
)
from components.shared.contracts.record import read_lines, write_lines
from components.shared.inference.detector import Detector
from components.shared.inference.package_store import PackageStore
from components.shared.inference.signature import sign
from components.shared.store.objects import digest_bytes, frame_key
from pipelines.local.local_stack import state_folder
from tests.support.tiny_packages import golden_answers, jpeg_of, scene, seal, tiny_graph

SHARED = Path(__file__).parents[3] / "shared" / "data" / "highway_vehicles" / "images"
PICTURES = 400
LATELY = 60  # pictures that were served lately
SERVED = """
INSERT INTO silver.frames
VALUES (%(dataset)s, %(sha256)s, '', 64, 64, 1, 'gate', now(), '', 'gate', NULL, %(sha256)s)
ON CONFLICT DO NOTHING;
INSERT INTO silver.predictions (event_id, dataset, sha256, request_id, camera, model, width,
    height, boxes, latency_ms, predicted_at)
VALUES (%(sha256)s, %(dataset)s, %(sha256)s, 'r', 'gate', '', 64, 64, '[]', 1, now())
ON CONFLICT DO NOTHING
"""
SHIFT = 40.0  # pixels of the network's input


class Candidates:
    """Makes, signs and registers variants of one package.

    Attributes:
        images: Folder of JPEGs for clients.
        told: Where package and pictures are from.
    """

    def __init__(self, folder, objects, registry, dataset, key):
        self._folder, self._objects, self._registry = folder, objects, registry
        self._key = key
        self._dataset = dataset
        self.images = folder / "images"
        self.images.mkdir()
        self._base, self.told = self._found() or self._drawn()
        self._seeds = itertools.count(1)

    def good(self):
        """Register another model with the same answers, and return its digest."""
        return self._register(self._variant())

    def unsigned(self):
        """Register a good model without a signature."""
        return self._register(self._variant(), signed=False)

    def shifted(self):
        """Register a model whose boxes lie elsewhere, as its own golden answers say."""
        package = self._variant()
        graph = onnx.load(package.model)
        (node,) = (node for node in graph.graph.node if "boxes" in node.output)
        node.output[list(node.output).index("boxes")] = "unshifted"
        shift = np.array([SHIFT, 0, SHIFT, 0], np.float32)
        graph.graph.initializer.append(numpy_helper.from_array(shift, "shift"))
        graph.graph.node.append(helper.make_node("Add", ["unshifted", "shift"], ["boxes"]))
        package.model.write_bytes(graph.SerializeToString())
        self._seal(package)
        detector = Detector.open(package.root)
        golden = [
            GoldenAnswer(
                file=known.file,
                boxes=detector.detect_jpeg((package.root / known.file).read_bytes()),
            )
            for known in read_lines(GoldenAnswer, package.golden)
        ]
        write_lines(golden, package.golden)
        self._seal(package)
        return self._register(package)

    def serve_lately(self, connection):
        """Write down some of the pictures as frames that cameras sent and that were answered."""
        with connection, connection.cursor() as cursor:
            for picture in sorted(self.images.glob("*.jpg"))[:LATELY]:
                jpeg = picture.read_bytes()
                sha256 = digest_bytes(jpeg)
                self._objects.put(frame_key(sha256), jpeg)
                cursor.execute(SERVED, {"dataset": self._dataset, "sha256": sha256})

    def _variant(self):
        seed = next(self._seeds)
        package = PackageLayout(RegisteredLayout(self._folder / "versions" / str(seed)).package)
        shutil.copytree(self._base.root, package.root)
        info = PackageInfo.read(package.info)
        lineage = info.lineage.model_copy(update={"seed": 1000 + seed, "dataset": self._dataset})
        changes = {"lineage": lineage, "dataset": self._dataset}
        info.model_copy(update=changes).write(package.info)
        return package

    def _seal(self, package):
        info = PackageInfo.read(package.info)
        files = {name: file_digest(package.root / name) for name in info.files}
        info.model_copy(update={"files": files}).write(package.info)

    def _register(self, package, signed=True):
        info, version = package.verify(), RegisteredLayout(package.root.parent)
        if signed:
            sign(version.package, version.signature, self._key)
        prefix = RegisteredLayout.prefix(info.digest)
        self._objects.put_folder(prefix, version.root)
        champion = self._registry.champion(self._dataset)
        self._registry.register(
            self._dataset, info.digest, self._objects.uri(prefix), "0" * 64, {}, {}, "a proof",
            champion.model if champion else None,
        )  # fmt: skip
        return info.digest

    def _found(self):
        """Return the package of a dataset that the state folder serves, and copy its pictures."""
        state = state_folder()
        package_store = PackageStore(state / "serving")
        for dataset in sorted(
            package_store.datasets(), key=lambda name: name != "highway-vehicles"
        ):
            if (current := package_store.current(dataset)) is None:
                continue
            package = PackageLayout(package_store.package(dataset, current))
            of_cameras = sorted((state / "objects" / "frames").rglob("*.jpg"))
            shared = sorted(SHARED.glob("*.jpg")) if dataset == "highway-vehicles" else []
            pictures = shared or of_cameras
            if pictures:
                for picture in pictures[:PICTURES]:
                    shutil.copyfile(picture, self.images / picture.name)
                return package, f"{dataset}, {len(pictures[:PICTURES])} of its images"
        return None

    def _drawn(self):
        package = PackageLayout(self._folder / "drawn")
        (package.root / "golden").mkdir(parents=True)
        package.model.write_bytes(tiny_graph(1, 64, 64).SerializeToString())
        package.triton.write_text('name: "toys"\n')
        write_lines(golden_answers(package.root, "car", 64, 64, 0.0), package.golden)
        seal(package, self._dataset, ("car",))
        for number in range(16):
            picture = scene({(number % 4, number // 4): 0, (3 - number % 4, 3): 0})
            (self.images / f"{number:02d}.jpg").write_bytes(jpeg_of(picture))
        return package, "a tiny network, drawn pictures"
