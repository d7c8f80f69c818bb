"""Smoke test: load a package in the sandboxed server and check its answers to known images."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from components.promotion.check_model.answers import check_answer, check_tensors
from components.promotion.check_model.client import Answered, Client
from components.promotion.check_model.faults import PackageRejectedError
from components.promotion.check_model.sandbox import Sandbox
from components.shared.contracts.annotation import ScoredBox
from components.shared.contracts.errors import JobError
from components.shared.contracts.model import PackageInfo
from components.shared.contracts.policy import CheckPolicy, GoldenPolicy, Policy
from components.shared.inference.golden import differs
from components.shared.inference.package_store import PackageStore
from components.shared.inference.picture import letterbox_of
from components.shared.settings.policy_file import KEY, VARIABLE
from components.shared.vision.letterbox import network_input


class SmokeImage(NamedTuple):
    """An image of the smoke test.

    Attributes:
        name: Name for messages.
        jpeg: The JPEG file.
        image: The decoded image, `[H, W, 3]`, RGB, 0 to 255.
        boxes: The expected answer; None if it is not known.
    """

    name: str
    jpeg: bytes
    image: NDArray[np.uint8]
    boxes: Sequence[ScoredBox] | None


@dataclass(frozen=True, slots=True)
class SmokeMeasurements:
    """Measurements of a smoke test.

    Attributes:
        load_s: Time to load the package and answer its golden pictures, in seconds.
        answer_ms: Median latency of all answers, in ms.
        memory_mb: Peak memory of the server, in MB.
        boxes: The answered boxes, by picture.
    """

    load_s: float
    answer_ms: float
    memory_mb: float
    boxes: list[Sequence[ScoredBox]]


def smoke_test(
    package_store: PackageStore,
    info: PackageInfo,
    pictures: Sequence[SmokeImage],
    policy: CheckPolicy,
    tolerance: GoldenPolicy,
    server: Sequence[str],
) -> SmokeMeasurements:
    """Start a sandboxed server, load a package into it, and check its answers to images.

    Args:
        package_store: Store with the package, which no other process may change.
        info: Description of the package.
        pictures: Images to send, at least one; each is sent as tensor once and as JPEG twice.
        policy: Limits of time and memory.
        tolerance: Tolerance of the answers to golden images, here and in the server.
        server: Command of the server, without its options.

    Raises:
        PackageRejectedError: At the first failure or wrong answer.
        JobError: If the server does not start even without a package.
    """
    home = package_store.root.parent
    port = home / "port"
    same = {VARIABLE: str(_policy_file(home, tolerance))}
    with Sandbox([*server, *_options(package_store, port)], home, policy, same) as sandbox:
        _start(sandbox, port, policy)
        with Client(f"http://127.0.0.1:{port.read_text().strip()}") as client:
            package_store.set_current(info.dataset, info.digest)
            began = perf_counter()
            with sandbox.within(policy.max_load_s, "loads the package"):
                client.load(info.dataset)
            loaded = perf_counter() - began
            asking = _Asking(sandbox, client, info, policy, tolerance)
            asked = asking.request_answers(pictures)
        with sandbox.within(policy.max_load_s, "is idle after its last answer"):
            memory = sandbox.peak_memory_mb()
    ms = median(answered.ms for answers in asked for answered in answers)
    _check_latency(ms, policy)
    return SmokeMeasurements(loaded, ms, memory, [answers[0].answer.boxes for answers in asked])


def _options(package_store: PackageStore, port: Path) -> tuple[str, ...]:
    return (
        "--http-port=0", "--admin-port=0", f"--admin-port-file={port}",
        f"--model-root={package_store.root}", "--inferences=1",
    )  # fmt: skip


def _policy_file(home: Path, tolerance: GoldenPolicy) -> Path:
    """Write the policy file of the server, which has none of our environment."""
    file = home / KEY
    Policy(golden=tolerance).write(file)
    return file


def _start(sandbox: Sandbox, port: Path, policy: CheckPolicy) -> None:
    try:
        with sandbox.within(policy.max_start_s, "starts"):
            sandbox.until(port.exists)
    except PackageRejectedError as cause:
        raise JobError(f"without any package, {cause}") from cause


def _check_latency(ms: float, policy: CheckPolicy) -> None:
    if ms > policy.max_answer_ms:
        raise PackageRejectedError(
            f"an answer takes {ms:,.0f} ms, expected at most {policy.max_answer_ms:,.0f} ms"
        )


@dataclass(frozen=True, slots=True)
class _Asking:
    """Requests to the sandboxed server, each answer checked."""

    sandbox: Sandbox
    client: Client
    info: PackageInfo
    policy: CheckPolicy
    tolerance: GoldenPolicy

    def request_answers(self, pictures: Sequence[SmokeImage]) -> list[tuple[Answered, Answered]]:
        """Request the tensors of each picture once, and its boxes twice."""
        return [self._request_answers(picture) for picture in pictures]

    def _request_answers(self, picture: SmokeImage) -> tuple[Answered, Answered]:
        inputs = network_input(letterbox_of(self.info, picture.image).apply(picture.image)[None])
        doing = f"computes the tensors of {picture.name}"
        with self.sandbox.within(self.policy.max_answer_s, doing):
            check_tensors(self.client.infer(self.info.dataset, inputs), self.info)
        first, second = self._answered(picture), self._answered(picture)
        if picture.boxes is None:
            self._check_same(first.answer.boxes, second.answer.boxes, picture)
        return first, second

    def _answered(self, picture: SmokeImage) -> Answered:
        height, width = picture.image.shape[:2]
        with self.sandbox.within(self.policy.max_answer_s, f"answers {picture.name}"):
            answered = self.client.detect(self.info.dataset, picture.jpeg)
        check_answer(answered.answer, self.info, width, height)
        if picture.boxes is not None:
            self._check_same(picture.boxes, answered.answer.boxes, picture)
        return answered

    def _check_same(
        self, expected: Sequence[ScoredBox], found: Sequence[ScoredBox], picture: SmokeImage
    ) -> None:
        least = self.info.postprocessing.score_threshold
        difference = differs(expected, found, least, self.tolerance)
        if difference:
            raise PackageRejectedError(f"{picture.name} is answered differently: {difference}")
