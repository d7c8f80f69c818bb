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
from components.shared.contracts.policy import CheckPolicy
from components.shared.inference.golden import differs
from components.shared.inference.package_store import PackageStore
from components.shared.inference.picture import letterbox_of
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
    server: Sequence[str],
) -> SmokeMeasurements:
    """Start a sandboxed server, load a package into it, and check its answers to images.

    Args:
        package_store: Store with the package, which no other process may change.
        info: Description of the package.
        pictures: Images to send, at least one; each is sent as tensor once and as JPEG twice.
        policy: Limits of time and memory.
        server: Command of the server, without its options.

    Raises:
        PackageRejectedError: At the first failure or wrong answer.
        JobError: If the server does not start even without a package.
    """
    home = package_store.root.parent
    port = home / "port"
    options = (
        "--http-port=0", "--admin-port=0", f"--admin-port-file={port}",
        f"--model-root={package_store.root}",
    )  # fmt: skip
    with Sandbox([*server, *options, "--inferences=1"], home, policy) as sandbox:
        _start(sandbox, port, policy)
        with Client(f"http://127.0.0.1:{port.read_text().strip()}") as client:
            package_store.set_current(info.dataset, info.digest)
            began = perf_counter()
            with sandbox.within(policy.load_seconds, "loads the package"):
                client.load(info.dataset)
            loaded = perf_counter() - began
            asked = [
                _request_answers(sandbox, client, info, picture, policy) for picture in pictures
            ]
        with sandbox.within(policy.load_seconds, "is idle after its last answer"):
            memory = sandbox.peak_memory_mb()
    ms = median(answered.ms for answers in asked for answered in answers)
    _check_latency(ms, policy)
    return SmokeMeasurements(loaded, ms, memory, [answers[0].answer.boxes for answers in asked])


def _start(sandbox: Sandbox, port: Path, policy: CheckPolicy) -> None:
    try:
        with sandbox.within(policy.start_seconds, "starts"):
            sandbox.until(port.exists)
    except PackageRejectedError as cause:
        raise JobError(f"without any package, {cause}") from cause


def _check_latency(ms: float, policy: CheckPolicy) -> None:
    if ms > policy.answer_ms:
        raise PackageRejectedError(
            f"an answer takes {ms:,.0f} ms, expected at most {policy.answer_ms:,.0f} ms"
        )


def _request_answers(
    sandbox: Sandbox, client: Client, info: PackageInfo, picture: SmokeImage, policy: CheckPolicy
) -> tuple[Answered, Answered]:
    """Request the tensors of a picture once, and its boxes twice."""
    inputs = network_input(letterbox_of(info, picture.image).apply(picture.image)[None])
    with sandbox.within(policy.answer_seconds, f"computes the tensors of {picture.name}"):
        check_tensors(client.infer(info.dataset, inputs), info)
    answers = tuple(_answered(sandbox, client, info, picture, policy) for _ in range(2))
    if picture.boxes is None:
        _check_same(answers[0].answer.boxes, answers[1].answer.boxes, picture, info)
    return answers[0], answers[1]


def _answered(
    sandbox: Sandbox, client: Client, info: PackageInfo, picture: SmokeImage, policy: CheckPolicy
) -> Answered:
    height, width = picture.image.shape[:2]
    with sandbox.within(policy.answer_seconds, f"answers {picture.name}"):
        answered = client.detect(info.dataset, picture.jpeg)
    check_answer(answered.answer, info, width, height)
    if picture.boxes is not None:
        _check_same(picture.boxes, answered.answer.boxes, picture, info)
    return answered


def _check_same(
    expected: Sequence[ScoredBox],
    found: Sequence[ScoredBox],
    picture: SmokeImage,
    info: PackageInfo,
) -> None:
    difference = differs(expected, found, info.postprocessing.score_threshold)
    if difference:
        raise PackageRejectedError(f"{picture.name} is answered differently: {difference}")
