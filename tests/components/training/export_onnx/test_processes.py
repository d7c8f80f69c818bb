"""A network trained in mixed precision, exported to 8 bits by two processes that share nothing."""

import os
import subprocess
import sys

import onnx
import pytest

from components.shared.contracts.model import PackageLayout, TrainedLayout
from components.shared.inference.detector import Detector
from components.shared.inference.golden import check_golden
from tests.support.export_processes import INFO, SOME


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """What a training in mixed precision leaves; nothing was learned."""
    import keras

    from components.shared.network.network import build_network
    from components.shared.network.restore import save_weights

    folder = TrainedLayout(tmp_path_factory.mktemp("trained"))
    before = keras.config.dtype_policy()
    keras.utils.set_random_seed(0)
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        network = build_network("pico", 1, 64, 64)
    finally:
        keras.config.set_dtype_policy(before)
    save_weights(network, folder.weights)
    INFO.write(folder.info)
    return folder


@pytest.fixture(scope="module")
def exported(trained):
    """The folder and the last line of each process."""
    folders = [trained.root / f"package-{number}" for number in range(2)]
    module = "tests.support.export_processes"
    command = [sys.executable, "-m", module, trained.root]
    processes = [
        subprocess.Popen(
            [*command, folder], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=os.environ | {"PYTHONHASHSEED": str(seed)},
        )
        for seed, folder in enumerate(folders)
    ]  # fmt: skip
    said = [process.communicate() for process in processes]
    assert not any(process.returncode for process in processes), said[0][1][-2000:]
    return folders, [out.splitlines()[-1] for out, _ in said]


def test_two_fresh_processes_make_the_same_package(exported):
    _, (first, second) = exported

    assert first == second
    assert first.endswith(" int8")


def test_a_package_in_eight_bits_is_one_that_the_server_opens(exported):
    (folder, _), _ = exported

    assert check_golden(folder, Detector.open(folder).detect_jpeg, 0.25) == len(SOME[:4])


def test_all_convolutions_count_in_eight_bits_but_the_last_ones(exported):
    (folder, _), _ = exported
    graph = onnx.load(PackageLayout(folder).model).graph
    makers = {output: node.op_type for node in graph.node for output in node.output}
    convolutions = [node for node in graph.node if node.op_type == "Conv"]
    exact = [node for node in convolutions if node.input[1] not in makers]

    # Weights that are dequantised are what a runtime makes a convolution in 8 bits of.
    assert 0 < len(exact) <= 6 < len(convolutions)
    assert {node.domain for node in graph.node} == {""}
