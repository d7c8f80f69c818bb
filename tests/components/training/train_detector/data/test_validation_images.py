"""What is measured on is letterboxed as the server does it."""

import numpy as np

from components.shared.vision.jpeg import decode_jpeg
from components.shared.vision.letterbox import Letterbox
from components.training.train_detector.data.disk_cache import DiskCache
from components.training.train_detector.data.split import Split
from components.training.train_detector.data.validation_images import ValidationImages
from tests.support.grey_images import jpeg, listed


def test_a_sample_is_what_the_server_would_see_the_first_time_and_after(tmp_path):
    content = jpeg()
    split = Split([listed(content)], lambda _: content, ["car"], (64, 64), DiskCache(tmp_path))
    samples = ValidationImages(split)

    seen = Letterbox(128, 96, 64, 64).apply(decode_jpeg(content))

    for sample in (samples[0], samples[0]):
        assert np.array_equal(sample.image, seen)
        assert sample.boxes.tolist() == [[20, 18, 44, 38]]
