"""Collect the images for probes: golden images of the package, and recently served frames."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from psycopg2 import extensions

from components.shared.contracts.annotation import ScoredBox
from components.shared.contracts.errors import UserError
from components.shared.contracts.model import GoldenAnswer, PackageLayout
from components.shared.contracts.policy import RolloutPolicy
from components.shared.contracts.record import read_lines
from components.shared.store.objects import Objects, frame_key

SERVED = """
SELECT sha256 FROM gold.served_frames WHERE dataset = %s
GROUP BY sha256 ORDER BY max(sequence) DESC LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class GoldenImage:
    """A golden picture and the expected boxes."""

    name: str
    jpeg: bytes
    boxes: tuple[ScoredBox, ...]


@dataclass(frozen=True, slots=True)
class ProbeImages:
    """The pictures to probe with.

    Attributes:
        golden: Golden pictures of the candidate's package.
        live: Recently served JPEGs; the golden ones if there are none.
        score_threshold: Threshold of the package; a box with about this score may be missing.
    """

    golden: Sequence[GoldenImage]
    live: Sequence[bytes]
    score_threshold: float


def pictures_of(package: PackageLayout, live: Iterable[bytes], most: int) -> ProbeImages:
    """Collect the pictures for one candidate.

    Args:
        package: The verified package of the candidate.
        live: Recently served JPEGs.
        most: Maximum number of live pictures.

    Raises:
        UserError: If the package has no golden picture.
    """
    golden = [
        GoldenImage(known.file, (package.root / known.file).read_bytes(), known.boxes)
        for known in read_lines(GoldenAnswer, package.golden)
    ]
    if not golden:
        raise UserError(f"{package.root.name[:12]} has no golden picture to be tried on")
    recent = list(islice(live, most)) or [known.jpeg for known in golden]
    return ProbeImages(golden, recent, package.verify().postprocessing.score_threshold)


def served_lately(
    connection: extensions.connection, objects: Objects, dataset: str, policy: RolloutPolicy
) -> Iterator[bytes]:
    """Yield an even sample of the recently served frames, without erased ones.

    Args:
        connection: An open connection to a migrated database.
        objects: The object store with the images.
        dataset: Name of the dataset.
        policy: Maximum number of frames, and of newest frames that the sample is of.
    """
    with connection, connection.cursor() as cursor:
        cursor.execute(SERVED, (dataset, policy.max_recent_frames))
        frames = [sha256 for (sha256,) in cursor.fetchall()]
    most = policy.max_probes
    # Evenly, so that they are of several cameras and hours.
    for sha256 in frames[:: max(1, len(frames) // most)][:most]:
        if objects.exists(frame_key(sha256)):
            yield objects.get(frame_key(sha256))
