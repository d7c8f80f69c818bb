"""Export a trained network: convert, quantise, check parity on real images, and package it."""

import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from components.shared.contracts.absence import absence, mark_absent
from components.shared.contracts.annotation import ScoredBox
from components.shared.contracts.errors import UserError
from components.shared.contracts.model import (
    BOXES,
    EMBEDDING,
    SCORES,
    PackageInfo,
    PackageLayout,
    Precision,
    Suppression,
    TrainedInfo,
    TrainedLayout,
)
from components.shared.contracts.policy import ExportPolicy, GoldenPolicy, Policy
from components.shared.inference.detector import Detector
from components.shared.inference.picture import Raw
from components.shared.store.snapshots import SnapshotReader
from components.training.export_onnx.int8_gate import compare_precisions
from components.training.export_onnx.nms_parity import check_inside
from components.training.export_onnx.package import FLOAT32, Form, write_golden, write_graph
from components.training.export_onnx.parity import Floats, Network, compare
from components.training.export_onnx.pictures import (
    ExportImages,
    Look,
    Size,
    crops,
    inputs_of,
    pictures_of,
    whole,
)

if TYPE_CHECKING:  # it imports TensorFlow, which takes seconds
    from components.shared.network.tensors import Serve

POLICIES = Policy()


@dataclass(frozen=True, slots=True)
class Exported:
    """Digest of a package ("" if there is none), its page and a summary sentence."""

    digest: str
    page: str
    sentence: str


def export_trained(
    trained: Path,
    snapshot: SnapshotReader,
    package: Path,
    form: Form = FLOAT32,
    policies: Policy = POLICIES,
) -> Exported:
    """Export a trained model, or pass on the reason why there is none.

    Args:
        trained: A `TrainedLayout`, or absent.
        snapshot: What the network was trained on, and what was held out.
        package: Where the package goes; what is there is replaced.
        form: What the package should be; int8 only if it loses little enough.
        policies: Gives the tolerances of the export, and the golden images.

    Raises:
        UserError: As `export`.
    """
    shutil.rmtree(package, ignore_errors=True)
    reason = absence(trained)
    if reason is None:
        # TensorFlow takes seconds to import, and is not needed to say that nothing is there.
        from components.shared.network.decode import serving_function
        from components.shared.network.restore import restore

        info = TrainedInfo.read(TrainedLayout(trained).info)
        pictures = pictures_of(snapshot, info.classes, form.precision, policies.export)
        return export(serving_function(restore(trained)), info, pictures, package, form, policies)
    mark_absent(package, reason)
    return Exported("", f"Export skipped: {reason}.\n", f"skipped: {reason}")


def export(
    serve: "Serve",
    info: TrainedInfo,
    pictures: ExportImages,
    package: Path,
    form: Form = FLOAT32,
    policies: Policy = POLICIES,
) -> Exported:
    """Convert a network, compare both versions on images, and seal the package.

    Args:
        serve: The network as a `tf.function`, see `detector.decode.serving_function`.
        info: Description of the trained model.
        pictures: What the network is tried on, and calibrated on for int8.
        package: Where the package goes.
        form: What the package should be; int8 only if it loses little enough.
        policies: Gives the tolerances of the export, and the golden images.

    Raises:
        UserError: If there is no picture, the exported graph answers otherwise, or int8 weights
            could saturate on another CPU.
    """
    from components.training.export_onnx.convert import convert

    if not pictures.test:
        raise UserError("the snapshot has no test image to compare the exported graph on")
    made = _Made(PackageLayout(package), info, convert(serve), form.suppression)
    policy, detector = policies.export, made.write("float32")
    looks = _looks(made, pictures, policy)
    parity = compare(_network(serve), detector.raw, looks(), policy)
    parity.check()
    pages, sentences = [parity.page], [parity.sentence]
    if form.precision == "int8":
        detector, page, sentence = _in_int8(made, detector, pictures, policy)
        pages, sentences = [*pages, page], [*sentences, sentence]
    if form.suppression == "inside":
        sentences.append(check_inside(detector, looks(), policy))
        pages.append(f"{sentences[-1]}\n")
    sealed = made.seal(_golden(detector, pictures, policies.golden), detector.info.precision)
    sentences.append(f"model file {made.layout.model.stat().st_size / 1e6:.1f} MB")
    return Exported(sealed.digest, "\n".join(pages), "; ".join(sentences))


def _looks(
    made: "_Made", pictures: ExportImages, policy: ExportPolicy
) -> Callable[[], Iterable[list[Look]]]:
    """Return a function that crops the images of the parity check anew at each call."""
    compared = pictures.held_out(policy.max_parity_images)
    return lambda: map(partial(crops, size=made.size), compared)


def _golden(
    detector: Detector, pictures: ExportImages, policy: GoldenPolicy
) -> dict[bytes, tuple[ScoredBox, ...]]:
    """Return golden images and their answers: those with most boxes would show a difference."""
    searched = pictures.test[: policy.max_searched_images]
    answers = {one.jpeg: detector.detect_jpeg(one.jpeg) for one in searched}
    telling = sorted(answers, key=lambda jpeg: -len(answers[jpeg]))[: policy.max_images]
    return {jpeg: answers[jpeg] for jpeg in telling}


@dataclass(frozen=True, slots=True)
class _Made:
    """A graph in float32, and the package that it or its int8 becomes."""

    layout: PackageLayout
    info: TrainedInfo
    graph: bytes
    suppression: Suppression

    @property
    def size(self) -> Size:
        return self.info.image_width, self.info.image_height

    def form(self, precision: Precision) -> Form:
        return Form(precision, self.suppression)

    def seal(
        self, golden: Mapping[bytes, tuple[ScoredBox, ...]], precision: Precision
    ) -> PackageInfo:
        return write_golden(self.layout, self.info, golden, self.form(precision))

    def write(self, precision: Precision, graph: bytes | None = None) -> Detector:
        return write_graph(self.layout, self.info, graph or self.graph, self.form(precision))


def _in_int8(
    made: _Made, float32: Detector, pictures: ExportImages, policy: ExportPolicy
) -> tuple[Detector, str, str]:
    """Return the package in int8 if it is good enough, else in float32; a page, a sentence."""
    from components.training.export_onnx.quantise import quantise
    from components.training.export_onnx.saturation import check_saturation

    if not pictures.train or not pictures.validation:
        split = "validation" if pictures.train else "train"
        sentence = f"package stays in float32: the snapshot has no {split} image to try int8 on"
        return float32, f"{sentence}\n", sentence
    inputs = (inputs_of([whole(one, made.size)]) for one in pictures.train)
    graph = quantise(made.graph, inputs)
    check_saturation(graph)  # the gate below is true of this machine's CPU alone
    int8 = made.write("int8", graph)
    gate = compare_precisions(float32.raw, int8.raw, pictures.validation, made.size, policy)
    chosen = int8 if gate.accepted else made.write("float32")
    return chosen, gate.page, gate.sentence


def _network(serve: "Serve") -> Network:
    def network(images: Floats) -> Raw:
        outputs = serve(images)
        return Raw(*(outputs[name].numpy() for name in (BOXES, SCORES, EMBEDDING)))

    return network
