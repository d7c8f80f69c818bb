"""Policy of training: the number of epochs where `epochs` is `auto`.

What else is learned by is a setting of the training, not a policy.
"""

from typing import Self

from pydantic import model_validator

from components.shared.contracts.policy.field import limit
from components.shared.contracts.record import Record


class TrainingPolicy(Record):
    """Number of epochs of a training that leaves it to the amount of data.

    Small datasets are seen more often, so that each training sees about as many images, but not
    so often that measuring after each epoch takes longer than the training.
    """

    images_seen: int = limit(
        12_000, "images", description="over all epochs, in a training from scratch", ge=1
    )
    fine_tuning_share: float = limit(
        0.5, "share", description="of these, in a training that starts from a champion", gt=0, le=1
    )
    min_epochs: int = limit(8, "epochs", description="however many images there are", ge=1)
    max_epochs: int = limit(
        150, "epochs", description="however few images there are", ge=1, le=10_000
    )

    @model_validator(mode="after")
    def _bounds_are_in_order(self) -> Self:
        if self.min_epochs > self.max_epochs:
            raise ValueError(
                f"min_epochs is {self.min_epochs}, expected at most max_epochs, {self.max_epochs}"
            )
        return self

    def epochs(self, images: int, *, fine_tuned: bool = False) -> int:
        """Return the number of epochs for a size of the training split.

        Args:
            images: Number of images of the training split.
            fine_tuned: Whether training starts from the champion's weights.

        >>> POLICY = TrainingPolicy()
        >>> POLICY.epochs(400), POLICY.epochs(400, fine_tuned=True)
        (30, 15)
        >>> POLICY.epochs(100_000), POLICY.epochs(7)
        (8, 150)
        """
        share = self.fine_tuning_share if fine_tuned else 1
        wanted = round(self.images_seen * share / images)
        return min(max(self.min_epochs, wanted), self.max_epochs)
