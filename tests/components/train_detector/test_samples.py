"""What is measured on is letterboxed as the server does it."""

import numpy as np

from components.train_detector.samples import Samples
from components.vision.jpeg import decode_jpeg
from components.vision.letterbox import Letterbox
from tests.components.train_detector.test_pictures import jpeg, listed


def test_a_sample_is_what_the_server_would_see():
    content = jpeg()
    sample = Samples([listed(content)], lambda _: content, ["car"], (64, 64))[0]

    seen = Letterbox(128, 96, 64, 64).apply(decode_jpeg(content))

    assert np.array_equal(sample.image, seen)
    assert sample.boxes.tolist() == [[20, 18, 44, 38]]
