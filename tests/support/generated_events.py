"""Hypothesis strategies for the data of events, within the limits of the lake."""

from datetime import UTC, datetime

from hypothesis import strategies as st

from components.shared.contracts.annotation import Box, ScoredBox
from components.shared.contracts.events import (
    FAULTS,
    SPLITS,
    DatasetDeclared,
    FrameCaptured,
    FrameLabelled,
    FrameRefused,
    PredictionCorrected,
    PredictionMade,
)
from components.shared.contracts.values import composed

SIDE = 10_000
any_texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
texts = any_texts.map(composed)
names = texts.filter(bool)
datasets = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)
digests = st.from_regex(r"[0-9a-f]{64}", fullmatch=True)
instants = st.datetimes(datetime(1970, 1, 1), datetime(2199, 12, 31), timezones=st.just(UTC))
sides = st.integers(SIDE, 2**31 - 1)
floats = st.floats(0, SIDE / 2, allow_subnormal=True)


@st.composite
def corners(draw) -> dict[str, float | str]:
    x, y = draw(floats), draw(floats)
    right, bottom = (
        draw(st.floats(x, SIDE, exclude_min=True)),
        draw(st.floats(y, SIDE, exclude_min=True)),
    )
    return {"x_min": x, "y_min": y, "x_max": right, "y_max": bottom, "label": draw(texts)}


def _boxes(kind: type[Box], **more) -> st.SearchStrategy:
    box = st.builds(
        lambda edges, rest: kind(**edges, **rest), corners(), st.fixed_dictionaries(more)
    )
    return st.lists(box, max_size=3).map(tuple)


_frame = {"dataset": datasets, "sha256": digests, "width": sides, "height": sides}


def events() -> st.SearchStrategy:
    """Data of every type."""
    return st.one_of(
        st.builds(
            DatasetDeclared, dataset=datasets, classes=st.lists(texts, min_size=1).map(tuple)
        ),
        st.builds(
            FrameCaptured, **_frame, uri=texts, size_bytes=st.integers(1, 2**63 - 1), camera=names,
            captured_at=instants, source_name=texts, group=names,
            split=st.sampled_from([None, *SPLITS]),
        ),
        st.builds(
            FrameLabelled, **_frame, boxes=_boxes(Box), labelled_by=texts, tool=texts,
            labelled_at=instants,
        ),
        st.builds(
            FrameRefused, dataset=datasets, source_name=texts, reason=texts, detail=texts,
            uri=st.none() | texts,
        ),
        st.builds(
            PredictionMade, **_frame, request_id=texts, camera=texts, model=digests,
            boxes=_boxes(ScoredBox, score=st.floats(allow_nan=False, allow_infinity=False)),
            latency_ms=st.floats(0, allow_infinity=False), predicted_at=instants,
        ),
        st.builds(
            PredictionCorrected, **_frame, request_id=texts, model=st.none() | digests,
            faults=st.lists(st.sampled_from(FAULTS), max_size=4, unique=True).map(tuple),
            boxes=_boxes(Box), corrected_by=names, corrected_at=instants,
        ),
    )  # fmt: skip
