"""What each size of the network costs: weights, and operations at the house's size of image."""

from collections.abc import Iterator

from components.shared.network.cost import cost_of
from components.shared.network.network import SIZES, build_network
from tests.benchmarks.table import Row

IMAGE = 320  # pixels
YOLOV8N = (3.2, 8.7)  # millions of parameters, and GFLOPs at 640 pixels, as published


def rows() -> Iterator[Row]:
    """State the cost of every size, beside that of the peer."""
    for size in SIZES:
        cost = cost_of(build_network(size, 1, IMAGE, IMAGE))
        millions, at_640 = cost.parameters / 1e6, cost.gflops * (640 / IMAGE) ** 2
        yield Row(
            f"network, {size}",
            f"{millions:.2f} M weights, {cost.gflops:.2f} GFLOPs",
            f"{at_640:.2f} at 640 px; YOLOv8n {YOLOV8N[0]} M, {YOLOV8N[1]}",
        )
