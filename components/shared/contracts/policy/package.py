"""Policies of a package: export, golden images, and the smoke test before promotion."""

from components.shared.contracts.policy.field import limit
from components.shared.contracts.record import Record


class ExportPolicy(Record):
    """Tolerances between a trained network and its exported graph, and of int8."""

    max_parity_images: int = limit(
        128, "images", description="held-out images of the parity check", ge=1
    )
    max_box_difference_px: float = limit(
        0.05, "px", description="of a box edge, TensorFlow against ONNX Runtime", gt=0
    )
    max_score_difference: float = limit(1e-4, "score", description="the same of a score", gt=0)
    max_map_difference: float = limit(
        1e-4,
        "mAP50-95",
        description="the same after suppression; one box of a few may cross a threshold",
        gt=0,
    )
    max_suppression_difference: float = limit(
        0.01,
        "share",
        description="of the inputs, those with other boxes where suppression is in the graph",
        ge=0,
        le=1,
    )
    max_calibration_images: int = limit(
        64, "images", description="training images that calibrate int8", ge=1
    )
    max_int8_images: int = limit(
        500, "images", description="validation images that int8 is judged on", ge=1
    )
    max_int8_map_loss: float = limit(
        0.005, "mAP50-95", description="against float32, beyond which int8 is refused", ge=0, le=1
    )


class GoldenPolicy(Record):
    """Golden images of a package, and the tolerances of their answers."""

    max_images: int = limit(4, "images", description="golden images of a new package", ge=1)
    max_searched_images: int = limit(
        16, "images", description="test images among which those with most boxes are chosen", ge=1
    )
    max_shift_px: float = limit(
        0.5, "px", description="of a box edge: processors round differently", gt=0
    )
    max_score_change: float = limit(0.01, "score", description="of a box, likewise", gt=0, le=1)


class CheckPolicy(Record):
    """Resource limits of a package in the smoke test before promotion."""

    max_size_mb: float = limit(256.0, "MB", description="of all its files", gt=0)
    max_files: int = limit(64, "files", description="golden images included", ge=1)
    max_start_s: float = limit(
        120.0, "s", description="for the server to come up without a package", gt=0
    )
    max_load_s: float = limit(60.0, "s", description="for the server to load the package", gt=0)
    max_answer_s: float = limit(
        20.0, "s", description="for one answer, after which the server counts as hung", gt=0
    )
    max_answer_ms: float = limit(
        1000.0, "ms", description="median of the answers, one thread", gt=0
    )
    max_memory_mb: int = limit(
        1500, "MB", description="of address space, of the whole server", ge=1
    )
    max_cpu_s: int = limit(600, "s", description="CPU time of the server, all told", ge=1)
    max_images: int = limit(
        8, "images", description="of the snapshot, beside the golden images", ge=0
    )
