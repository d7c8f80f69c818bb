"""Save and restore the weights of a trained detector."""

from pathlib import Path

import keras
import numpy as np

from components.shared.contracts.errors import UserError
from components.shared.contracts.model import TrainedInfo, TrainedLayout
from components.shared.network.network import build_network


def restore(root: str | Path) -> keras.Model:
    """Build the detector of a folder laid out as `contracts.model.TrainedLayout`.

    Raises:
        UserError: If the weights do not fit the network they are said to be of.
    """
    layout = TrainedLayout(root)
    info = TrainedInfo.read(layout.info)
    model = build_network(info.size, len(info.classes), info.image_height, info.image_width)
    load_weights(model, layout.weights)
    return model


def weight_names(model: keras.Model) -> list[str]:
    """Return the name of every weight, such as `stem_conv/kernel`, in the model's order."""
    return [weight.path for weight in model.weights]


def save_weights(model: keras.Model, path: Path) -> None:
    """Write every weight under its name as float32.

    Args:
        model: A detector.
        path: The `.npz` file.
    """
    named = zip(weight_names(model), model.get_weights(), strict=True)
    np.savez(path, **{name: value.astype(np.float32) for name, value in named})


def load_weights(model: keras.Model, path: Path) -> None:
    """Set every weight of a model from a file that `save_weights` wrote.

    Args:
        model: A detector.
        path: The `.npz` file.

    Raises:
        UserError: If a name or a shape differs.
    """
    with np.load(path, allow_pickle=False) as held:
        values = dict(held)
    wanted = dict(zip(weight_names(model), (w.shape for w in model.weights), strict=True))
    for name in sorted(wanted.keys() ^ values.keys()):
        state = "missing" if name in wanted else "not of this network"
        raise UserError(f"{path.name}: {name} is {state}")
    for name, shape in wanted.items():
        if values[name].shape != tuple(shape):
            raise UserError(f"{path.name}: {name} is {values[name].shape}, expected {tuple(shape)}")
    model.set_weights([values[name] for name in wanted])
