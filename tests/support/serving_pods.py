"""Pods as the API server tells of them."""

from types import SimpleNamespace


def container(
    name="kserve-container", restarts=0, waiting=None, running=None, ended=None, ready=False
):
    """One container's status; it began anew if it ended before."""
    state = SimpleNamespace(
        waiting=waiting, running=running, terminated=None if restarts else ended
    )  # fmt: skip
    last = SimpleNamespace(terminated=ended if restarts else None)
    return SimpleNamespace(
        name=name, restart_count=restarts, state=state, last_state=last, ready=ready
    )


def condition(kind, status="True", reason="", message=""):
    return SimpleNamespace(type=kind, status=status, reason=reason, message=message)


def ended(code, message, reason="Error"):
    return SimpleNamespace(exit_code=code, message=message, reason=reason)


def waiting(reason, message=""):
    return SimpleNamespace(reason=reason, message=message)


def pod(
    uid="1", ip="10.0.0.1", ready="True", *, server=(), init=(), conditions=(), reason=None,
    deleted=None, **facts,
):  # fmt: skip
    """A pod with one server, whose facts are those of its container."""
    status = SimpleNamespace(
        conditions=[condition("Ready", ready), *conditions], pod_ip=ip, reason=reason,
        message="the node was low on memory" if reason else None,
        container_statuses=list(server) or [container(**facts)],
        init_container_statuses=list(init) or None,
    )  # fmt: skip
    metadata = SimpleNamespace(uid=uid, name=f"cars-{uid}", deletion_timestamp=deleted)
    return SimpleNamespace(status=status, metadata=metadata)
