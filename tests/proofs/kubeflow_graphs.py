"""What the proof on a real Kubeflow runs there besides our own pipelines.

Frames must come from somewhere, the served model must be asked, and its dataset must be
retired: three small graphs, of components that hold no more than a look at what there is.
"""

from kfp import dsl, kubernetes

from components.data.simulate_cameras.component import simulate_cameras
from components.images import image
from pipelines.placement import give, light
from pipelines.policy.access import Grant

SERVING: tuple[Grant, ...] = ("database", "objects", "detector")
WRITER = "car-prove-stream"  # optional secret: how to write to a broker that knows its users
WRITES = (
    "KAFKA_SECURITY_PROTOCOL",
    "KAFKA_SASL_MECHANISM",
    "KAFKA_SASL_USERNAME",
    "KAFKA_SASL_PASSWORD",
)


@dsl.component(base_image=image("data"), install_kfp_package=False)
def wait_for_frames(dataset: str, frames: int, seconds: int = 900) -> int:
    """Wait until the ingester has stored what was sent.

    Args:
        dataset: Whose frames.
        frames: How many with labels there must be.
        seconds: How long to wait.

    Returns:
        How many there are.
    """
    import os
    import time

    from components.shared.store.postgres import connect

    connection, deadline = connect(os.environ["DATABASE_URL"]), time.monotonic() + seconds
    while True:
        with connection, connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM gold.labelled_frames WHERE dataset = %s", (dataset,)
            )
            ((stored,),) = cursor.fetchall()
        if stored >= frames:
            return stored
        if time.monotonic() > deadline:
            raise RuntimeError(f"{stored} of {frames} frames are stored: does ingest-events run?")
        time.sleep(1)


@dsl.component(base_image=image("deployer"), install_kfp_package=False)
def ask_detector(dataset: str, frames: int = 20) -> str:
    """Ask the served model about stored frames, and see that it is the champion that answers.

    Args:
        dataset: Whose detector.
        frames: About how many frames.

    Returns:
        Figures as JSON; the task's log has them too.
    """
    import json
    import os
    import statistics
    import time
    from contextlib import closing

    from components.promotion.deploy_model.targets import target_from
    from components.shared.settings.policy_file import policy_from
    from components.shared.store.objects import Objects, frame_key
    from components.shared.store.postgres import connect
    from components.shared.store.registry import Registry

    connection, objects = (
        connect(os.environ["DATABASE_URL"]),
        Objects(os.environ["OBJECT_STORE_URL"]),
    )
    champion = Registry(connection).champion(dataset)
    model = champion.model if champion else "no champion"
    with connection, connection.cursor() as cursor:
        query = "SELECT sha256 FROM silver.frames WHERE dataset = %s ORDER BY sha256 LIMIT %s"
        cursor.execute(query, (dataset, frames))
        known = [sha256 for (sha256,) in cursor.fetchall()]
    boxes, times = 0, []
    with closing(target_from(os.environ, policy_from(os.environ).rollout)) as target:
        for sha256 in known:
            start = time.perf_counter()
            answer = target.detect(dataset, objects.get(frame_key(sha256)), "stable")
            times.append(1000 * (time.perf_counter() - start))
            if not (answer and answer.model == model):
                raise RuntimeError(f"{answer and answer.model} answers for {dataset}")
            boxes += len(answer.boxes)
    asked = {"frames": len(known), "boxes": boxes, "median_ms": round(statistics.median(times), 1)}
    figures = json.dumps(asked | {"model": model[:12]})
    print(f"figures {figures}", flush=True)
    return figures


@dsl.component(base_image=image("deployer"), install_kfp_package=False)
def retire_dataset(dataset: str) -> None:
    """Let nothing answer for a dataset any more, and no alias name a model of it.

    Args:
        dataset: Whose detector.
    """
    import os
    from contextlib import closing

    from components.promotion.deploy_model.targets import target_from
    from components.shared.settings.policy_file import policy_from
    from components.shared.store.postgres import connect

    with closing(target_from(os.environ, policy_from(os.environ).rollout)) as target:
        target.serve(dataset, None)
    connection = connect(os.environ["DATABASE_URL"])
    with connection, connection.cursor() as cursor:
        cursor.execute("DELETE FROM registry.aliases WHERE dataset = %s", (dataset,))


@dsl.component(base_image=image("data"), install_kfp_package=False)
def read_outcomes(dataset: str, runs: list) -> str:
    """Read how runs are recorded to have ended.

    Args:
        dataset: What the runs worked on.
        runs: Their ids.

    Returns:
        States and reasons by run, as JSON; the task's log has them too.
    """
    import json
    import os

    from components.shared.store.postgres import connect

    connection = connect(os.environ["DATABASE_URL"])
    with connection, connection.cursor() as cursor:
        query = "SELECT run_id, state, reason FROM registry.outcomes WHERE run_id = ANY(%s)"
        cursor.execute(query, (runs,))
        outcomes = {run: [state, reason] for run, state, reason in cursor.fetchall()}
    told = json.dumps(outcomes)
    print(f"outcomes {told}", flush=True)
    return told


@dsl.component(base_image=image("core"), install_kfp_package=False)
def need_room() -> None:
    """Run on a node that no cluster has."""


@dsl.pipeline(name="prove-outcomes", description="How runs ended is read from the registry.")
def outcomes(dataset: str, runs: list) -> None:
    """Read how runs ended.

    Args:
        dataset: What they worked on.
        runs: Their ids.
    """
    light(give(read_outcomes(dataset=dataset, runs=runs), "database"))


@dsl.pipeline(name="prove-room", description="A task that fits on no node waits.")
def room(dataset: str) -> None:
    """Wait for room that there is not.

    Args:
        dataset: Only told, as every graph of the proof is.
    """
    light(need_room()).set_cpu_request("4000").set_cpu_limit("4000")


@dsl.pipeline(name="prove-arrival", description="Frames are drawn, sent, and stored.")
def arrive(dataset: str, frames: int = 240) -> None:
    """Give a dataset frames to learn from.

    Args:
        dataset: A new one.
        frames: How many.
    """
    sent = simulate_cameras(dataset=dataset, frames=frames)
    kubernetes.use_config_map_as_env(
        sent,
        config_map_name="car-stream",
        config_map_key_to_env={"bootstrap_servers": "KAFKA_BOOTSTRAP_SERVERS"},
    )
    kubernetes.use_secret_as_env(
        sent, secret_name=WRITER, secret_key_to_env={key: key for key in WRITES}, optional=True
    )
    light(give(sent, "objects"))
    light(give(wait_for_frames(dataset=dataset, frames=sent.output), "database"))


@dsl.pipeline(name="prove-answer", description="The served model answers.")
def answer(dataset: str) -> None:
    """Ask the model that serves a dataset.

    Args:
        dataset: Whose model.
    """
    light(give(ask_detector(dataset=dataset), *SERVING))


@dsl.pipeline(name="prove-retirement", description="A dataset is served no more.")
def retire(dataset: str) -> None:
    """Take a dataset out of service.

    Args:
        dataset: Whose model.
    """
    light(give(retire_dataset(dataset=dataset), *SERVING))
