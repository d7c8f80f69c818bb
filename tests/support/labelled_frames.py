"""Labelled frames in a database and an object store, as ingestion would have put them."""

import json
from datetime import UTC, datetime, timedelta

import numpy as np
from PIL import Image

from components.shared.store.objects import digest_bytes, frame_key
from components.shared.vision.jpeg import encode_jpeg

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
CAR = {"x_min": 1, "y_min": 2.5, "x_max": 30, "y_max": 20, "label": "car"}


def picture(seed):
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return np.array(Image.fromarray(coarse).resize((96, 72), Image.Resampling.BICUBIC))


class Lake:
    """The tables and the object store that a snapshot is made from."""

    def __init__(self, connection, objects):
        self.connection, self.objects = connection, objects
        self.execute("INSERT INTO silver.classes VALUES ('toy', 'car', 0)")

    def execute(self, query, values=()):
        with self.connection, self.connection.cursor() as cursor:
            cursor.execute(query, values)
            return cursor.fetchall() if cursor.description else []

    def add(self, content, group="g", split=None, boxes=(CAR,), number=0, dataset="toy"):
        sha256 = digest_bytes(content)
        self.objects.put(frame_key(sha256), content)
        at, name, event = NOON + timedelta(minutes=number), f"{number}.jpg", f"{dataset} {sha256}"
        self.execute(
            "INSERT INTO silver.frames VALUES "
            "(%s, %s, 'uri', 96, 72, %s, 'north', %s, %s, %s, %s, %s)",
            (dataset, sha256, len(content), at, name, group, split, event),
        )
        self.label(sha256, boxes, NOON, dataset)
        return sha256

    def label(self, sha256, boxes, at, dataset="toy"):
        self.execute(
            "INSERT INTO silver.labels VALUES (%s, %s, %s, %s, 'me', 'hand', %s)",
            (f"{sha256} {at}", dataset, sha256, json.dumps(list(boxes)), at),
        )

    def fill(self, numbers=range(12)):
        return [
            self.add(encode_jpeg(picture(number)), f"g{number % 6}", number=number)
            for number in numbers
        ]
