"""Conditions of a job, and the times that stand in them."""

import time
from datetime import UTC, datetime
from typing import Any

Body = dict[str, Any]


def is_true(status: Body, kind: str) -> bool:
    """Say whether a condition is there and true."""
    found = status.get("conditions", ())
    return any(one["type"] == kind and one["status"] == "True" for one in found)


def set_condition(status: Body, kind: str, reason: str, message: str, value: str = "True") -> None:
    """Set a condition; running and restarting push each other out, and an end ends running."""
    there = status.setdefault("conditions", [])
    same = next((one for one in there if one["type"] == kind), None)
    if (same and (same["status"], same["reason"]) == (value, reason)) or (
        same is None and value == "False"
    ):
        return
    out = {"Running": {"Restarting"}, "Restarting": {"Running"}}.get(kind, set()) | {kind}
    status["conditions"] = [one for one in there if one["type"] not in out]
    for one in status["conditions"]:
        if kind in ("Succeeded", "Failed") and one["type"] == "Running":
            one["status"] = "False"
    now = now_stamp()
    new = {"type": kind, "status": value, "reason": reason, "message": message}
    status["conditions"].append({**new, "lastTransitionTime": now})


def now_stamp() -> str:
    """Return the time as Kubernetes writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def age_s(stamp: str) -> float:
    """Return the seconds since a time that Kubernetes wrote."""
    return time.time() - datetime.fromisoformat(stamp.replace("Z", "+00:00")).timestamp()
