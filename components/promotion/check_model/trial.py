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
from components.promotion.check_model.faults import Faulty
from components.promotion.check_model.sandbox import Sandbox
from components.shared.contracts.annotation import ScoredBox
from components.shared.contracts.model import PackageInfo
from components.shared.contracts.policy import CheckPolicy
from components.shared.contracts.refusal import Refusal
from components.shared.inference.golden import differs
from components.shared.inference.package_store import PackageStore
from components.shared.inference.picture import letterbox_of
from components.shared.vision.letterbox import network_input


class Known(NamedTuple):
    """A picture that is asked about.

    Attributes:
        name: What to call it.
        jpeg: Its bytes.
        image: The same decoded, `[H, W, 3]`.
        boxes: How the package must answer; None where nobody knows.
    """

    name: str
    jpeg: bytes
    image: NDArray[np.uint8]
    boxes: Sequence[ScoredBox] | None


@dataclass(frozen=True, slots=True)
class Seen:
    """What a trial showed.

    Attributes:
        load_s: Until the package was loaded, and had answered its golden pictures.
        answer_ms: Median of all answers.
        memory_mb: Most memory of the server at once.
        boxes: What it answered, by picture.
    """

    load_s: float
    answer_ms: float
    memory_mb: float
    boxes: list[Sequence[ScoredBox]]


def tried(
    package_store: PackageStore,
    info: PackageInfo,
    pictures: Sequence[Known],
    policy: CheckPolicy,
    server: Sequence[str],
) -> Seen:
    """Start a server without a package, let it load one, and ask it about pictures, twice.

    Args:
        package_store: Holds the package, and may be written by nobody else.
        info: Of the package.
        pictures: At least one.
        policy: The limits.
        server: The command of the server, without its options.

    Raises:
        Faulty: As soon as the package does what it must not.
        Refusal: If the server does not start, which is no fault of the package.
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
            asked = [_asked(sandbox, client, info, picture, policy) for picture in pictures]
        with sandbox.within(policy.load_seconds, "rests after its last answer"):
            memory = sandbox.peak_memory_mb()
    ms = median(answered.ms for answers in asked for answered in answers)
    if ms > policy.answer_ms:
        raise Faulty(f"an answer takes {ms:,.0f} ms, expected at most {policy.answer_ms:,.0f}")
    return Seen(loaded, ms, memory, [answers[0].answer.boxes for answers in asked])


def _start(sandbox: Sandbox, port: Path, policy: CheckPolicy) -> None:
    try:
        with sandbox.within(policy.start_seconds, "starts"):
            sandbox.until(port.exists)
    except Faulty as cause:
        raise Refusal(f"without any package, {cause}") from cause


def _asked(
    sandbox: Sandbox, client: Client, info: PackageInfo, picture: Known, policy: CheckPolicy
) -> tuple[Answered, Answered]:
    """Ask for the tensors of a picture, and for its boxes twice."""
    inputs = network_input(letterbox_of(info, picture.image).apply(picture.image)[None])
    with sandbox.within(policy.answer_seconds, f"looks at {picture.name}"):
        check_tensors(client.infer(info.dataset, inputs), info)
    answers = tuple(_answered(sandbox, client, info, picture, policy) for _ in range(2))
    if picture.boxes is None:
        _check_same(answers[0].answer.boxes, answers[1].answer.boxes, picture, info)
    return answers[0], answers[1]


def _answered(
    sandbox: Sandbox, client: Client, info: PackageInfo, picture: Known, policy: CheckPolicy
) -> Answered:
    height, width = picture.image.shape[:2]
    with sandbox.within(policy.answer_seconds, f"answers {picture.name}"):
        answered = client.detect(info.dataset, picture.jpeg)
    check_answer(answered.answer, info, width, height)
    if picture.boxes is not None:
        _check_same(picture.boxes, answered.answer.boxes, picture, info)
    return answered


def _check_same(
    expected: Sequence[ScoredBox], found: Sequence[ScoredBox], picture: Known, info: PackageInfo
) -> None:
    difference = differs(expected, found, info.postprocessing.score_threshold)
    if difference:
        raise Faulty(f"{picture.name} is answered otherwise: {difference}")
