"""Define the files and records of a trained model, of a package, and of a registered version."""

import hashlib
import stat
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, ValidationError, model_serializer

from components.shared.contracts.annotation import ScoredBox
from components.shared.contracts.errors import UserError
from components.shared.contracts.record import Record, complaint, digest_of, read_lines
from components.shared.contracts.values import Name, Sha256

INPUT = "images"
BOXES = "boxes"
SCORES = "scores"
EMBEDDING = "embedding"
FOUND_BOXES = "found_boxes"
FOUND_SCORES = "found_scores"
FOUND_CLASSES = "found_classes"
FOUND = (FOUND_BOXES, FOUND_SCORES, FOUND_CLASSES)  # where suppression is in the graph

Precision = Literal["float32", "int8"]
Suppression = Literal["outside", "inside"]


class PackageError(UserError):
    """The files of a package do not match its description."""


class Lineage(Record):
    """Inputs of a model: snapshot, settings, code."""

    dataset: Name
    snapshot: Sha256
    code: Sha256 = Field(description="digest of the source that trained it")
    settings: dict[str, str | int | float | bool]
    seed: int
    start: str = Field(description="scratch, or the digest of the package it was warmed with")
    fingerprint: Sha256 = Field(description="digest of all of the above: same in, same out")


class TrainedInfo(Record):
    """`trained.json`: with the weights, all that is needed to build the network again."""

    lineage: Lineage
    classes: tuple[str, ...]
    image_width: int = Field(description="of the network's input, pixels, a multiple of 32")
    image_height: int = Field(description="of the network's input, pixels, a multiple of 32")
    size: str = Field(description="pico, nano or small")
    best_epoch: int
    validation_map50: float | None = Field(description="None if no validation image has a box")
    network: str = Field(
        default="", description="name of the architecture, which alone fits the weights"
    )


class TrainedLayout:
    """Output files of a training."""

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)
        self.info = self.root / "trained.json"
        self.weights = self.root / "weights.npz"
        self.history = self.root / "history.jsonl"
        self.events = self.root / "events"  # the same, for TensorBoard


class Preprocessing(Record):
    """Conversion of an image to the network's input; implemented by `vision.letterbox`."""

    image_width: int
    image_height: int
    colour_order: str = "RGB"
    layout: str = "NCHW"
    scale: float = 1 / 255
    padding: int = Field(default=114, description="grey level around the picture, 0 to 255")


class Postprocessing(Record):
    """Conversion of raw boxes to the answer; implemented by `vision.suppression`."""

    score_threshold: float = 0.25
    iou_threshold: float = 0.6
    max_boxes: int = 300
    candidates: int = Field(default=1000, description="best raw boxes that enter suppression")


class PackageInfo(Record):
    """`package.json`: the contract of a served model; its digest is the model's name.

    The network takes `images`, float32 `[batch, 3, image_height, image_width]` in 0 to 1.
    It gives `boxes`, float32 `[batch, anchors, 4]` as x_min, y_min, x_max, y_max in
    pixels of the network's input, `scores`, float32 `[batch, anchors, classes]` in 0 to
    1, and `embedding`, float32 `[batch, features]`.

    With `suppression` inside it gives too what is left after it, surest first, for clients
    that have none: `found_boxes` `[batch, K, 4]`, `found_scores` `[batch, K]`, 0 where
    nothing more was found, and `found_classes`, int64 `[batch, K]`. All of `postprocessing`
    holds for them but `candidates`: every raw box that reaches the threshold enters.
    """

    format: str = "car-detection/1"
    dataset: Name
    classes: tuple[str, ...]
    preprocessing: Preprocessing
    postprocessing: Postprocessing
    lineage: Lineage
    files: dict[str, Sha256] = Field(description="every other file of the package")
    precision: Precision = Field(default="float32", description="of the convolutions")
    suppression: Suppression = Field(default="outside", description="of the graph, or inside too")

    @model_serializer(mode="wrap")
    def _as_before(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out what came later and says nothing new: old packages keep their names."""
        later = {"precision": "float32", "suppression": "outside"}
        return {name: value for name, value in serialize(self).items() if later.get(name) != value}

    @property
    def digest(self) -> str:
        """The model's name in the registry, the server and logged predictions."""
        return digest_of(self.model_dump(mode="json"))


class GoldenAnswer(Record):
    """One line of `golden.jsonl`: a golden image (a file of the package) and its answer."""

    file: str
    boxes: tuple[ScoredBox, ...]


class PackageLayout:
    """Files of a package."""

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)
        self.info = self.root / "package.json"
        self.model = self.root / "model.onnx"
        self.triton = self.root / "config.pbtxt"
        self.golden = self.root / "golden.jsonl"
        self.golden_images = self.root / "golden"

    def verify(self) -> PackageInfo:
        """Verify the digest of every file, and return the description.

        Raises:
            PackageError: Naming the first file that is missing, strange or changed, or that is
                no regular file: none of those is opened, a pipe could be read for ever.
        """
        for entry in sorted(self.root.rglob("*")):
            mode = entry.lstat().st_mode
            if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
                what = "a link" if stat.S_ISLNK(mode) else "no regular file"
                inside = entry.relative_to(self.root)
                raise PackageError(f"{self.root.name}: {inside} is {what}, expected a file")
        if not self.info.is_file():
            raise PackageError(f"{self.root.name}: no package.json, so this is no model package")
        try:
            info = PackageInfo.read(self.info)
        except ValidationError as cause:
            raise PackageError(f"{self.root.name}: package.json: {complaint(cause)}") from cause
        found = {
            str(file.relative_to(self.root))
            for file in self.root.rglob("*")
            if not file.is_dir() and file != self.info
        }
        for name in sorted(found ^ set(info.files)):
            state = "not described" if name in found else "missing"
            raise PackageError(f"model {info.digest[:12]}: {name} is {state}")
        for name, expected in sorted(info.files.items()):
            actual = file_digest(self.root / name)
            if actual != expected:
                raise PackageError(
                    f"model {info.digest[:12]}: {name} has digest {actual[:12]}, "
                    f"expected {expected[:12]}"
                )
        return info

    def golden_answers(self) -> list[GoldenAnswer]:
        """Return the golden answers of a verified package, at least one.

        Raises:
            PackageError: If it says nothing, nonsense, or names a file that is not its own.
        """
        try:
            answers = read_lines(GoldenAnswer, self.golden)
        except (ValidationError, UnicodeDecodeError) as cause:
            reason = complaint(cause) if isinstance(cause, ValidationError) else str(cause)
            raise PackageError(f"golden.jsonl: {reason}") from cause
        own = {str(file.relative_to(self.root)) for file in self.root.rglob("*")}
        for answer in answers:
            if answer.file not in own:
                strange = f"{answer.file[:80]!r}, which is not of the package"
                raise PackageError(f"golden.jsonl names {strange}")
        if not answers:
            raise PackageError("the package has no golden picture to be tried on")
        return answers


class RegisteredLayout:
    """Files of a registered version, under `models/<digest>/` in the object store."""

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)
        self.package = self.root / "package"
        self.signature = self.root / "package.sig"
        self.trained = self.root / "trained"
        self.report = self.root / "report.json"
        self.card = self.root / "card.md"
        self.reference = self.root / "reference.jsonl"
        self.hard = self.root / "hard.jsonl"

    @staticmethod
    def prefix(digest: str) -> str:
        """Return the prefix of a version in the object store."""
        return f"models/{digest}"


def file_digest(path: str | Path) -> str:
    """Return the SHA-256 of a file, as 64 hexadecimal digits."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class DetectAnswer(Record):
    """Answer of the server for one JPEG."""

    model: Sha256 = Field(description="digest of the package that answered")
    dataset: Name
    request_id: str
    width: int = Field(description="of the picture, pixels")
    height: int = Field(description="of the picture, pixels")
    boxes: tuple[ScoredBox, ...]
    latency_ms: float = Field(description="from the whole request to the boxes")
