"""Who may import whom. The table below is the architecture; these tests keep it true."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# The packages of components/shared, and all they may import besides the standard library and
# themselves. A file of the store stands for itself, so that a job that reads snapshots does
# not carry a database driver.
SHARED = {
    "contracts": {"pydantic"},
    "vision": {"contracts", "numpy", "PIL"},
    "pages": {"vision", "numpy", "PIL", "jinja2", "markupsafe", "matplotlib"},
    "inference": {
        "contracts",
        "vision",
        "numpy",
        "onnxruntime",
        "onnx",
        "google",
        "cryptography",
        "model_signing",
    },
    "network": {"contracts", "numpy", "tensorflow", "keras"},
    "traffic": {"contracts", "prometheus_client", "starlette", "uvicorn"},
    "cluster": {"contracts", "kubernetes", "urllib3", "yaml", "pydantic"},
    "kubeflow": {"contracts", "kfp", "kfp_server_api", "kubernetes", "urllib3"},
    "store.objects": {"obstore"},
    "store.shards": {"contracts", "store.objects"},
    "store.snapshots": {"contracts", "store.objects"},
    "store.postgres": {"contracts", "psycopg2"},
    "store.migrate": {"contracts", "store.postgres"},
    "store.registry": {
        "contracts",
        "psycopg2",
        "store.decisions",
        "store.postgres",
        "store.versions",
    },
    "store.decisions": {"contracts", "psycopg2"},
    "store.versions": {"contracts", "psycopg2"},
    "store.connection_errors": {"contracts"},
    "store.brokers": {"contracts", "store.connection_errors", "kafka"},
    "store.stream": {"contracts", "store.brokers", "kafka"},
    "store.topics": {"contracts", "store.brokers", "store.stream", "kafka"},
    "store.tracking": {"contracts", "mlflow"},
    "store.frames": {"contracts", "store.objects", "store.stream", "kafka", "httpx", "tenacity"},
}

# The jobs and services. None may import another.
JOBS = {
    "simulate_cameras": {"vision", "store.objects", "store.frames", "numpy", "PIL"},
    "import_dataset": {"vision", "store.objects", "store.frames", "PIL", "yaml"},
    "replay_frames": {"vision", "store.objects", "store.frames", "store.snapshots", "numpy"},
    "ingest_events": {
        "store.brokers", "store.objects", "store.postgres", "store.stream", "store.topics", "kafka",
        "psycopg2", "tenacity", "prometheus_client",
    },
    "fetch_model": {"store.objects", "store.postgres", "store.registry"},
    "snapshot_dataset": {
        "vision", "store.objects", "store.postgres", "store.shards", "store.snapshots", "psycopg2",
        "numpy",
    },
    "validate_dataset": {"vision", "pages", "store.objects", "store.snapshots", "numpy"},
    "train_detector": {
        "vision", "pages", "network", "cluster", "store.objects", "store.snapshots",
        "store.tracking",
        "numpy", "PIL", "cykooz_resizer", "pydantic", "yaml", "tensorflow", "keras",
    },
    "export_onnx": {
        "vision", "network", "inference", "store.objects", "store.snapshots",
        "numpy", "tensorflow", "tf2onnx", "onnx", "onnxruntime",
    },
    "check_model": {
        "vision", "pages", "inference", "store.objects", "store.snapshots",
        "numpy", "httpx", "pydantic",
    },
    "evaluate_detector": {
        "vision", "pages", "inference", "store.objects", "store.snapshots", "store.tracking",
        "numpy", "PIL", "markupsafe", "hotcoco",
    },
    "judge_model": {"pages"},
    "register_model": {
        "vision", "pages", "inference", "store.objects", "store.postgres", "store.registry",
        "store.tracking",
    },
    "propose_settings": {"yaml", "pydantic"},
    "narrow_settings": {"pages"},
    "pick_settings": {"pages"},
    "deploy_model": {
        "inference", "cluster", "traffic", "vision", "pages", "store.objects", "store.postgres",
        "store.registry", "httpx", "kserve", "kubernetes", "yaml", "psycopg2",
        "markupsafe", "pydantic", "numpy",
    },
    "serve_detector": {
        "vision", "inference", "traffic", "store.stream", "numpy", "kserve", "pydantic",
        "starlette", "prometheus_client", "kafka",
    },
    "route_requests": {
        "inference", "traffic", "httpx", "starlette", "prometheus_client", "pydantic",
    },
    "extract_window": {"store.objects", "store.postgres", "store.registry", "psycopg2"},
    "detect_drift": {
        "vision", "pages", "store.objects", "store.snapshots",
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
    "serving": {"serve_detector", "route_requests", "score_dataset"},
    "monitoring": {
        "extract_window", "detect_drift", "decide_retraining", "submit_training", "record_outcome",
    },
}  # fmt: skip

# The folders of train_detector from below to above: each may import those before it.
TRAINING = ("plan", "data", "report", "learning", "worker", "launchers")
WRAPPER_HEAD = {"kfp", "images"}  # what the top of a component.py may import

FILES = sorted(ROOT.glob("components/*/*/**/*.py"))
WRAPPERS = sorted(ROOT.glob("components/*/*/component.py"))
# Where people come in, and what they may choose there.
DOORS = {
    ROOT / f"pipelines/{name}.py"
    for name in ("__main__", "command_line", "completion", "form", "parameters")
}
GRAPHS = sorted(set(ROOT.glob("pipelines/*.py")) - DOORS)


def name_of(file: Path) -> str:
    return str(file.relative_to(ROOT))


def modules(nodes) -> set[str]:
    """Return the modules imported by some nodes, the standard library left out."""
    found = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= _from(node)
    return {name for name in found if name.split(".")[0] not in sys.stdlib_module_names}


def _from(node: ast.ImportFrom) -> set[str]:
    if node.module in ("components", "components.shared.store", "components.shared.vision"):
        return {f"{node.module}.{alias.name}" for alias in node.names}
    return {node.module}


def room(module: str) -> str:
    """Shorten `components.shared.vision.boxes` to `vision`, and `numpy.typing` to `numpy`."""
    parts = module.removeprefix("components.").split(".")
    if parts[0] == "shared" or parts[0] in STAGES:
        parts = parts[1:]
    return ".".join(parts[:2]) if parts[0] == "store" else parts[0]


def rooms(nodes) -> set[str]:
    return {room(module) for module in modules(nodes)}


def room_of(file: Path) -> str:
    return room(".".join(file.relative_to(ROOT).with_suffix("").parts))


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_a_room_imports_only_what_it_may(file: Path):
    here = room_of(file)
    if here == "store.__init__":
        return
    allowed = SHARED.get(here) or JOBS[here] | {"contracts"}
    head = WRAPPER_HEAD if file in WRAPPERS else set()

    assert rooms(ast.walk(ast.parse(file.read_text()))) <= allowed | head | {here}


@pytest.mark.parametrize("file", WRAPPERS, ids=name_of)
def test_a_wrapper_compiles_with_nothing_but_kubeflow(file: Path):
    assert rooms(ast.parse(file.read_text()).body) <= WRAPPER_HEAD


@pytest.mark.parametrize("file", WRAPPERS, ids=name_of)
def test_a_wrapper_holds_no_logic(file: Path):
    function = next(node for node in ast.parse(file.read_text()).body if hasattr(node, "body"))
    statements = [
        node
        for node in function.body
        if not isinstance(node, ast.Import | ast.ImportFrom) and not _is_docstring(node)
    ]

    assert function.name == file.parent.name
    assert len(statements) <= 10


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


@pytest.mark.parametrize("file", GRAPHS, ids=name_of)
def test_a_pipeline_sees_wrappers_and_never_logic(file: Path):
    for module in modules(ast.walk(ast.parse(file.read_text()))):
        assert module.split(".")[0] in {"kfp", "pipelines"} or module.endswith(".component")


@pytest.mark.parametrize("file", GRAPHS, ids=name_of)
def test_only_placement_speaks_to_kubernetes(file: Path):
    kubernetes = "kubernetes" in file.read_text() and "import dsl, kubernetes" in file.read_text()

    assert kubernetes == (file.name == "placement.py")


def test_every_folder_has_its_place_in_the_tables():
    folders: dict[str, set[str]] = {}
    for file in ROOT.glob("components/*/*/__init__.py"):
        folders.setdefault(file.parents[1].name, set()).add(file.parent.name)
    shared = {name.split(".")[0] for name in SHARED}

    assert folders == STAGES | {"shared": shared}
    assert set().union(*STAGES.values()) == set(JOBS)


@pytest.mark.parametrize("below", range(len(TRAINING)), ids=TRAINING)
def test_a_folder_of_train_detector_imports_only_those_below_it(below):
    home = "components.training.train_detector"
    folder, allowed = TRAINING[below], {f"{home}.{name}" for name in TRAINING[: below + 1]}
    files = (ROOT / home.replace(".", "/") / folder).glob("**/*.py")
    found = {
        ".".join(module.split(".")[:4])
        for file in files for module in modules(ast.walk(ast.parse(file.read_text())))
        if module.startswith(home)
    }  # fmt: skip

    assert found <= allowed


def test_a_job_is_run_by_kubeflow_or_by_itself_and_never_by_both():
    for folder in (ROOT / "components" / stage / job for stage in STAGES for job in STAGES[stage]):
        assert (folder / "component.py").exists() != (folder / "service.py").exists(), folder
