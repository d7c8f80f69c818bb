"""The import table: what each package of `components` and `pipelines` may import."""

# The packages of components/shared, and all they may import besides the standard library and
# themselves. A file of the store stands for itself, so that a job that reads snapshots does
# not carry a database driver.
SHARED = {
    "contracts": {"pydantic"},
    "vision": {"contracts", "numpy", "PIL"},
    "pages": {"vision", "numpy", "PIL", "jinja2", "markupsafe", "matplotlib"},
    "inference": {
        "contracts", "vision", "numpy", "onnxruntime", "onnx", "google", "cryptography",
        "model_signing",
    },
    "network": {"contracts", "numpy", "tensorflow", "keras"},
    "traffic": {"contracts", "httpx", "prometheus_client", "pydantic", "starlette", "uvicorn"},
    "settings": {"contracts", "yaml", "pydantic"},
    "cluster": {"contracts", "kubernetes", "urllib3", "yaml", "pydantic"},
    "kubeflow": {"contracts", "kfp", "kfp_server_api", "kubernetes", "urllib3"},
    "store.objects": {"obstore"},
    "store.shards": {"contracts", "store.objects"},
    "store.snapshots": {"contracts", "store.objects"},
    "store.postgres": {"contracts", "psycopg2"},
    "store.api_keys": {"contracts", "psycopg2"},
    "store.migrate": {"contracts", "store.postgres"},
    "store.registry": {
        "contracts", "psycopg2", "store.aliases", "store.audit_log", "store.decisions",
        "store.postgres", "store.versions",
    },
    "store.decisions": {"contracts", "psycopg2"},
    "store.aliases": {"contracts", "psycopg2", "store.audit_log", "store.versions"},
    "store.audit_log": {"contracts", "psycopg2", "store.versions"},
    "store.versions": {"contracts", "psycopg2"},
    "store.connection_errors": {"contracts"},
    "store.brokers": {"contracts", "store.connection_errors", "kafka"},
    "store.stream": {"contracts", "store.brokers", "kafka"},
    "store.topics": {"contracts", "store.brokers", "store.stream", "kafka"},
    "store.tracking": {"contracts", "mlflow"},
    "store.frames": {"contracts", "store.objects", "store.stream", "kafka", "httpx", "tenacity"},
}  # fmt: skip

# The modules of `components` itself: image names, the command line, the entry point of a task.
ENTRY_POINTS: dict[str, set[str]] = {
    "images": set(), "__main__": {"contracts"}, "task": {"contracts", "settings", "kfp"},
}  # fmt: skip

# The jobs and services. None may import another.
JOBS = {
    "simulate_cameras": {"vision", "store.objects", "store.frames", "numpy", "PIL"},
    "import_dataset": {"settings", "vision", "store.objects", "store.frames", "PIL", "yaml"},
    "replay_frames": {"vision", "store.objects", "store.frames", "store.snapshots", "numpy"},
    "ingest_events": {
        "store.brokers", "store.objects", "store.postgres", "store.stream", "store.topics", "kafka",
        "psycopg2", "tenacity", "prometheus_client",
    },
    "fetch_model": {"store.objects", "store.postgres", "store.registry"},
    "snapshot_dataset": {
        "settings", "vision", "store.objects", "store.postgres", "store.shards", "store.snapshots",
        "psycopg2", "numpy",
    },
    "validate_dataset": {
        "settings", "vision", "pages", "store.objects", "store.snapshots", "numpy",
    },
    "train_detector": {
        "settings", "vision", "pages", "network", "cluster", "store.objects", "store.snapshots",
        "store.tracking",
        "numpy", "PIL", "cykooz_resizer", "markupsafe", "pydantic", "yaml", "tensorflow", "keras",
    },
    "export_onnx": {
        "settings", "vision", "network", "inference", "store.objects", "store.snapshots",
        "numpy", "tensorflow", "tf2onnx", "onnx", "onnxruntime",
    },
    "check_model": {
        "settings", "vision", "pages", "inference", "store.objects", "store.snapshots",
        "numpy", "httpx", "pydantic",
    },
    "evaluate_detector": {
        "settings", "vision", "pages", "inference", "store.objects", "store.snapshots",
        "store.tracking", "numpy", "PIL", "markupsafe", "hotcoco",
    },
    "judge_model": {"settings", "pages"},
    "register_model": {
        "vision", "pages", "inference", "store.objects", "store.postgres", "store.registry",
        "store.tracking",
    },
    "propose_settings": {"settings", "yaml", "pydantic"},
    "narrow_settings": {"settings", "pages"},
    "pick_settings": {"settings", "pages"},
    "deploy_model": {
        "settings", "inference", "cluster", "traffic", "vision", "pages", "store.objects",
        "store.postgres", "store.registry", "httpx", "kserve", "kubernetes", "yaml", "psycopg2",
        "markupsafe", "pydantic", "numpy",
    },
    "serve_detector": {
        "settings", "vision", "inference", "traffic", "store.stream", "numpy", "kserve", "pydantic",
        "starlette", "prometheus_client", "kafka",
    },
    "route_requests": {
        "inference", "traffic", "httpx", "starlette", "prometheus_client", "pydantic",
    },
    "gateway": {
        "vision", "inference", "traffic", "store.api_keys", "store.frames", "store.objects",
        "store.postgres", "store.stream", "fastapi", "fastapi_offline", "prometheus_client",
        "psycopg2", "pyarrow", "pydantic", "starlette", "numpy",
    },
    "extract_window": {"settings", "store.objects", "store.postgres", "store.registry", "psycopg2"},
    "detect_drift": {
        "settings", "vision", "pages", "store.objects", "store.snapshots",
        "numpy", "markupsafe", "pandas", "evidently",
    },
    "decide_retraining": {"store.postgres", "store.registry"},
    "submit_training": {"kubeflow", "store.postgres", "store.registry", "psycopg2"},
    "record_outcome": {"kubeflow", "store.postgres", "store.registry"},
    "score_dataset": {
        "vision", "pages", "inference", "store.objects", "store.snapshots", "numpy",
    },
}  # fmt: skip
# The stages of the life cycle, and their jobs. A stage never imports another, for no job does.
STAGES = {
    "data": {
        "simulate_cameras", "import_dataset", "replay_frames", "ingest_events", "snapshot_dataset",
        "validate_dataset",
    },
    "training": {"train_detector", "export_onnx"},
    "tuning": {"propose_settings", "narrow_settings", "pick_settings"},
    "promotion": {
        "fetch_model", "check_model", "evaluate_detector", "judge_model", "register_model",
        "deploy_model",
    },
    "serving": {"gateway", "serve_detector", "route_requests", "score_dataset"},
    "monitoring": {
        "extract_window", "detect_drift", "decide_retraining", "submit_training", "record_outcome",
    },
}  # fmt: skip

# The folders of train_detector from below to above: each may import those before it.
TRAINING = ("plan", "data", "report", "learning", "worker", "launchers")
WRAPPER_HEAD = {"kfp", "images"}  # what the top of a component.py may import

# The modules and folders of `pipelines`. `component` is the wrapper of any job; a graph sees
# wrappers and never logic. What else of a job is named here, is what people choose or wait for.
GRAPH = {"component", "kfp.dsl", "pipelines.exit_handler", "pipelines.placement"}
GRAPHS = {f"pipelines.{name}" for name in ("batch", "deploy", "import_images", "train", "tune",
    "watch")}  # fmt: skip
PIPELINES = {
    "pipelines.policy": {
        "contracts", "settings", "images", "__main__", "pipelines.graphs",
        "google", "kfp.kubernetes", "kfp.pipeline_spec", "pydantic", "yaml",
    },
    "pipelines.placement": {"pipelines.policy", "kfp.dsl", "kfp.kubernetes"},
    "pipelines.exit_handler": {"component", "kfp.dsl", "pipelines.placement"},
    **dict.fromkeys(sorted(GRAPHS), GRAPH),
    "pipelines.form": {"contracts", "kfp.dsl"},
    "pipelines.graphs": GRAPHS | {"pipelines.form", "kfp.compiler", "kfp.dsl"},
    "pipelines.story": {"pipelines.policy"},
    "pipelines.parameters": {
        "contracts", "settings", "__main__", "propose_settings.propose", "propose_settings.space",
        "train_detector.plan", "pipelines.form", "pipelines.graphs", "kfp.dsl",
    },
    "pipelines.local": {
        "contracts", "settings", "inference", "pages", "traffic", "vision", "store.objects",
        "store.postgres", "store.registry", "store.api_keys", "store.snapshots", "store.stream",
        "deploy_model.pictures",
        "ingest_events.wait", "pipelines.graphs", "pipelines.parameters",
        "confluent_kafka", "httpx", "kfp.local", "markupsafe", "numpy", "psutil", "psycopg2",
        "rich",
    },
    "pipelines.kubeflow": {
        "contracts", "cluster", "kubeflow", "pipelines.form", "pipelines.graphs",
        "pipelines.local", "pipelines.parameters", "pipelines.policy",
        "kfp.Client", "kfp.dsl", "kfp_server_api", "pydantic", "yaml",
    },
    "pipelines.delivery": {"contracts", "train_detector.plan", "pipelines.kubeflow"},
    "pipelines.events": {"contracts"},
    "pipelines.completion": {"pipelines.command_line", "shtab"},
    "pipelines.command_line": set(),
    "pipelines.__main__": {"contracts", "pipelines.command_line"},
}  # fmt: skip
