import pytest

from components.promotion.evaluate_detector.peak_memory import measure_peak_memory
from components.shared.contracts.model import PackageError
from tests.support.tiny_packages import seal


def test_a_package_is_weighed_in_a_process_of_its_own(tiny_package):
    own = 3 * 2**27  # what this process holds must not count
    held = bytearray(own)

    assert 20 < measure_peak_memory(tiny_package().root) < own / 1e6
    assert len(held) == own


def test_a_package_that_does_not_open_says_why(tiny_package):
    package = tiny_package()
    package.model.write_bytes(b"no graph")
    seal(package, "toys", ("car",))

    with pytest.raises(PackageError, match="no ONNX model"):
        measure_peak_memory(package.root)
