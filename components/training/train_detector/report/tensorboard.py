"""Write a history as a TensorBoard event file; the same history gives the same bytes."""

from collections.abc import Iterable
from pathlib import Path

import tensorflow as tf

from components.training.train_detector.plan.history import Epoch, scalars

# TensorBoard finds event files by this part of the name, and their version in the first event.
NAME = "events.out.tfevents.0.training"
VERSION = "brain.Event:2"


def write_events(epochs: Iterable[Epoch], folder: Path) -> None:
    """Write the TensorBoard log of a training, replacing its content.

    Time is counted in steps from 1970, so that a training that was resumed leaves the same
    file as one that was not.

    Args:
        epochs: The whole history.
        folder: Where the file goes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    event, summary = tf.compat.v1.Event, tf.compat.v1.Summary
    with tf.io.TFRecordWriter(str(folder / NAME)) as file:
        file.write(event(wall_time=0, file_version=VERSION).SerializeToString())
        for step, values in scalars(epochs).items():
            entries = [summary.Value(tag=tag, simple_value=value) for tag, value in values.items()]
            now = event(wall_time=step, step=step, summary=summary(value=entries))
            file.write(now.SerializeToString())
