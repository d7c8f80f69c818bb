"""Define which roles may call each route of the API; the role admin may call all."""

from components.shared.contracts.api_key import Role

SEND = frozenset[Role]({"camera", "client", "reviewer"})
ASK = frozenset[Role]({"camera", "client", "reviewer", "approver"})
REVIEW = frozenset[Role]({"reviewer", "approver"})

DATASET = "/v1/datasets/{dataset}"
ACCESS: dict[tuple[str, str], frozenset[Role]] = {
    ("GET", "/v1/datasets"): ASK,
    ("PUT", DATASET): frozenset(),
    ("POST", f"{DATASET}/frames"): SEND,
    ("POST", f"{DATASET}/predict"): ASK,
    ("POST", "/v2/models/{dataset}/infer"): ASK,
    ("POST", f"{DATASET}/labels"): REVIEW,
    ("POST", f"{DATASET}/corrections"): REVIEW,
    ("GET", f"{DATASET}/predictions"): REVIEW,
    ("GET", f"{DATASET}/frames"): REVIEW,
}
# Requests that change something: the answer to one with an `Idempotency-Key` is kept.
IDEMPOTENT = {("POST", f"{DATASET}/{what}") for what in ("frames", "labels", "corrections")}
