"""Where tasks run and what they may know: the only file that speaks to `kfp.kubernetes`.

Kubeflow's own cache is off for every task. It knows an artifact by its name, not by its
bytes, and would take one snapshot for another; our steps find finished work by content.
"""

from kfp import dsl, kubernetes

SECONDS = {"short": 1800, "long": 12 * 3600}


def light(task: dsl.PipelineTask) -> dsl.PipelineTask:
    """Give a task one core, little memory and half an hour."""
    return _placed(task, cpu="1", memory="2G", seconds=SECONDS["short"])


def heavy(task: dsl.PipelineTask) -> dsl.PipelineTask:
    """Give a task the cores and the memory that training wants."""
    return _placed(task, cpu="4", memory="8G", seconds=SECONDS["long"])


def with_database(task: dsl.PipelineTask) -> dsl.PipelineTask:
    """Let a task reach PostgreSQL, through its secret and nothing wider."""
    return _secret(task, "car-database", {"url": "DATABASE_URL"})


def with_objects(task: dsl.PipelineTask) -> dsl.PipelineTask:
    """Let a task reach the object store: its address is configuration, its keys a secret."""
    kubernetes.use_config_map_as_env(
        task, config_map_name="car-objects", config_map_key_to_env={"url": "OBJECT_STORE_URL"}
    )
    keys = {"access_key": "AWS_ACCESS_KEY_ID", "secret_key": "AWS_SECRET_ACCESS_KEY"}
    return _secret(task, "car-objects", keys)


def with_detector(task: dsl.PipelineTask) -> dsl.PipelineTask:
    """Tell a task where the detectors are served."""
    return kubernetes.use_config_map_as_env(
        task,
        config_map_name="car-detector",
        config_map_key_to_env={"url": "DETECTOR_URL", "model_root": "MODEL_ROOT"},
    )


def with_kubeflow(task: dsl.PipelineTask) -> dsl.PipelineTask:
    """Tell a task where Kubeflow Pipelines answers, so that it can submit a run."""
    return kubernetes.use_config_map_as_env(
        task, config_map_name="car-kubeflow", config_map_key_to_env={"host": "KFP_HOST"}
    )


def patient(task: dsl.PipelineTask) -> dsl.PipelineTask:
    """Try a task again that leans on the network; it must bear being run twice."""
    return task.set_retry(num_retries=2, backoff_duration="2s", backoff_factor=4.0)


def _placed(task: dsl.PipelineTask, cpu: str, memory: str, seconds: int) -> dsl.PipelineTask:
    task.set_caching_options(enable_caching=False)
    task.set_cpu_request(cpu).set_cpu_limit(cpu)
    task.set_memory_request(memory).set_memory_limit(memory)
    kubernetes.set_timeout(task, seconds)
    return task


def _secret(task: dsl.PipelineTask, name: str, keys: dict[str, str]) -> dsl.PipelineTask:
    return kubernetes.use_secret_as_env(task, secret_name=name, secret_key_to_env=keys)
