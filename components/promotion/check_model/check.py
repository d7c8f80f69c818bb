"""Check a model package: files, description, then a smoke test in the sandboxed server."""

import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import ValidationError

from components.promotion.check_model.faults import PackageRejectedError, one_line
from components.promotion.check_model.files import check_files, copied
from components.promotion.check_model.smoke_test import SmokeImage, SmokeMeasurements, smoke_test
from components.shared.contracts.absence import AbsenceLayout, absence, mark_absent
from components.shared.contracts.errors import UserError
from components.shared.contracts.model import (
    PackageError,
    PackageInfo,
    PackageLayout,
    RegisteredLayout,
)
from components.shared.contracts.policy import CheckPolicy, GoldenPolicy
from components.shared.inference.golden import TOLERANCE
from components.shared.inference.package_store import PackageStore
from components.shared.store.snapshots import SnapshotReader
from components.shared.vision.jpeg import JpegError, decode_jpeg

SERVER = (sys.executable, "-m", "components", "serve_detector")


@dataclass(frozen=True, slots=True)
class Expected:
    """Expectations that a package is checked against.

    Attributes:
        dataset: Name of the dataset that the model should be of.
        classes: Classes of the dataset; None if they are not known.
        jpegs: Images that it must be able to answer, beside its own golden images.
    """

    dataset: str
    classes: tuple[str, ...] | None = None
    jpegs: Sequence[bytes] = ()


@dataclass(slots=True)
class Checked:
    """The result of the check of a package.

    Attributes:
        model: Digest of the package; empty if it is not known.
        reason: Why the package is rejected; empty if it may be served.
        megabytes: Size of all its files, in MB.
        absent: Whether there is no package to check, for this reason.
        measured: Measurements of the smoke test; None if it did not end.
        pictures: Images of the smoke test.
    """

    model: str = ""
    reason: str = ""
    megabytes: float = 0.0
    absent: bool = False
    measured: SmokeMeasurements | None = None
    pictures: list[SmokeImage] = field(default_factory=list)

    @property
    def sentence(self) -> str:
        """The result in one line."""
        if self.absent:
            return f"skipped: {self.reason}"
        if self.measured is None:
            return self.reason
        return (
            f"passed: model {self.model[:12]} answers {len(self.pictures)} images in "
            f"{self.measured.answer_ms:.0f} ms each, loads in {self.measured.load_s:.1f} s, uses "
            f"{self.measured.memory_mb:.0f} MB of memory"
        )

    def passed(self, must_pass: bool) -> str:
        """Return the digest of the package if it may be served, else "".

        Args:
            must_pass: Whether a rejection raises.

        Raises:
            UserError: If the package is rejected and must pass.
        """
        if self.reason and must_pass:
            raise UserError(self.reason)
        return "" if self.reason else self.model


def expected_of(reader: SnapshotReader | None, dataset: str, policy: CheckPolicy) -> Expected:
    """Return what a package must be and answer.

    Args:
        reader: The snapshot, which gives dataset, classes and images; None if there is none.
        dataset: Name of the dataset, where there is no snapshot.
        policy: Gives the number of images to take.
    """
    if reader is None:
        return Expected(dataset)
    images = (reader.images("test") or reader.images())[: policy.max_images]
    jpegs = [reader.read(image.sha256) for image in images]
    return Expected(reader.info.dataset, reader.info.classes, jpegs)


def check(
    source: str | Path,
    target: str | Path,
    expected: Expected,
    policy: CheckPolicy,
    tolerance: GoldenPolicy = TOLERANCE,
    server: Sequence[str] = SERVER,
) -> Checked:
    """Smoke-test a package in a sandboxed server, and copy it, or the reason of its rejection.

    Args:
        source: A `PackageLayout`, or a `RegisteredLayout`, or absent.
        target: Becomes the package as it was tested, or absent.
        expected: Dataset, classes and images that it must fit.
        policy: Limits of size, time and memory.
        tolerance: Tolerance of the answers to golden images.
        server: Command of the server, without its options.

    Raises:
        JobError: If the server does not start even without a package.
    """
    checked, folder = Checked(), Path(target)
    shutil.rmtree(folder, ignore_errors=True)
    try:
        _check(_package(Path(source)), folder, expected, policy, tolerance, server, checked)
    except (PackageRejectedError, PackageError) as fault:
        why = one_line(str(fault), policy.max_memory_mb)
        named = checked.model and checked.model[:12] not in why
        model = f"model {checked.model[:12]}: " if named else ""
        checked.reason, checked.measured = f"refused by check_model: {model}{why}", None
    if checked.reason:
        shutil.rmtree(folder, ignore_errors=True)
        mark_absent(folder, checked.reason)
    return checked


def _check(
    source: Path,
    target: Path,
    expected: Expected,
    policy: CheckPolicy,
    tolerance: GoldenPolicy,
    server: Sequence[str],
    checked: Checked,
) -> None:
    checked.megabytes = check_files(source, policy)
    checked.reason = _absence(source)
    checked.absent = bool(checked.reason)
    if checked.absent:
        return
    with TemporaryDirectory(prefix="check-") as home:
        package_store = PackageStore(Path(home, "models"))
        fresh = Path(home, "package")
        info = copied(source, fresh)
        checked.model = info.digest
        _check_description(info, expected)
        package = package_store.package(info.dataset, info.digest)
        package.parent.mkdir(parents=True)
        fresh.rename(package)
        checked.pictures = _pictures(package, expected)
        checked.measured = smoke_test(
            package_store, info, checked.pictures, policy, tolerance, server
        )
    if copied(source, target).digest != info.digest:
        raise PackageRejectedError("the package changed during the check")


def _package(folder: Path) -> Path:
    registered = RegisteredLayout(folder).package
    return registered if registered.is_dir() else folder


def _absence(folder: Path) -> str:
    try:
        return absence(folder) or ""
    except ValidationError as cause:
        name = AbsenceLayout(folder).absence.name
        raise PackageRejectedError(f"{name} has no reason") from cause


def _check_description(info: PackageInfo, expected: Expected) -> None:
    if info.dataset != expected.dataset:
        raise PackageRejectedError(f"its dataset is {info.dataset}, expected {expected.dataset}")
    if expected.classes is not None and info.classes != expected.classes:
        found, wanted = (", ".join(classes) for classes in (info.classes, expected.classes))
        raise PackageRejectedError(f"its classes are {found}, expected {wanted}")


def _pictures(package: Path, expected: Expected) -> list[SmokeImage]:
    """Return the images of the smoke test, the golden ones first."""
    pictures = []
    for answer in PackageLayout(package).golden_answers():
        jpeg = (package / answer.file).read_bytes()
        try:
            pictures.append(SmokeImage(answer.file, jpeg, decode_jpeg(jpeg), answer.boxes))
        except JpegError as cause:
            raise PackageRejectedError(f"{answer.file}: {cause}") from cause
    for number, jpeg in enumerate(expected.jpegs, 1):
        pictures.append(
            SmokeImage(f"image {number} of the snapshot", jpeg, decode_jpeg(jpeg), None)
        )
    return pictures
