"""Who may change what is served, and when a server says that it is ready."""

import asyncio
import os
import shutil
import threading

import httpx
import onnx
import pytest

from components.serving.serve_detector.pool import Pool
from components.serving.serve_detector.repository import MAX_HANGING, Repository
from components.serving.serve_detector.service import application
from components.shared.contracts.errors import JobError
from components.shared.inference.package_store import PackageStore
from tests.support.tiny_packages import jpeg_of, scene, seal

JPEG = jpeg_of(scene({(1, 2): 0}))
ORDERS = ["/v2/repository/models/admin/load", "/v2/repository/models/admin/unload",
          "/v2/repository/index"]  # fmt: skip


@pytest.fixture
def served(server, tiny_package):
    server.put(tiny_package(dataset="admin"), "admin")
    server.load("admin").raise_for_status()
    yield server
    server.order("unload", "admin")
    shutil.rmtree(server.package_store.folder("admin"))


@pytest.mark.parametrize("path", [*ORDERS, "//v2/repository/models/admin/unload"])
def test_models_are_changed_at_the_admin_port_alone(served, path):
    refused = served.client.post(f"{served.url}{path}")

    assert refused.status_code == 404
    assert "there is nothing at" in refused.json()["error"]
    assert served.detect(JPEG, "admin").status_code == 200


def test_the_admin_port_answers_all_else_too(served):
    detected = served.client.post(f"{served.admin_url}/v1/detect/admin", content=JPEG)
    index = served.client.post(f"{served.admin_url}/v2/repository/index").json()

    assert detected.status_code == 200
    assert {"name": "admin", "state": "READY"} in index


def test_without_an_admin_port_models_are_changed_nowhere(tmp_path):
    app = application(Repository(PackageStore(tmp_path)), Pool(1, 1), None, admin=None)

    async def statuses():
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://cars:8080") as client:
            live = await client.get("/v2/health/live")
            return [live.status_code, *[(await client.post(path)).status_code for path in ORDERS]]

    assert asyncio.run(statuses()) == [200, 404, 404, 404]


def test_a_server_without_a_key_says_at_start_that_it_serves_unsigned_packages(server):
    assert "serves unsigned packages: SIGNING_PUBLIC_KEY names no key" in server.log.read_text()


def ready(server):
    answer = server.client.get("/v2/health/ready")
    return answer.status_code, answer.json().get("error", "")


def test_a_server_is_ready_if_every_model_that_the_store_names_is_loaded(served):
    before = ready(served)
    served.order("unload", "admin").raise_for_status()
    without = ready(served)
    served.load("admin").raise_for_status()

    assert (before, ready(served)) == ((200, ""), (200, ""))
    assert without[0] == 503
    assert "admin" in without[1]


def test_an_unknown_model_is_told_which_there_are_in_one_line_of_the_log(served):
    before = served.log.read_text()
    answers = [
        served.detect(JPEG, "elsewhere"),
        served.client.post("/v2/models/elsewhere/infer", json={}),
        served.client.get("/v2/models/elsewhere"),
    ]
    logged = served.log.read_text()[len(before) :]

    for answer in answers:
        assert answer.status_code == 404
        assert "there is no model 'elsewhere' here, expected one of: " in answer.json()["error"]
        assert "admin" in answer.json()["error"]
    assert logged.count("\n") == len(answers)
    assert "Traceback" not in logged


@pytest.mark.parametrize("what", ["pipe", "socket", "device", "link"])
@pytest.mark.parametrize("where", ["model.onnx", "package.json", "golden/x.jpg", "slot"])
def test_what_is_no_regular_file_is_refused_unread(tmp_path, tiny_package, where, what):
    package = tiny_package()
    package_store, digest = PackageStore(tmp_path / "models"), package.verify().digest
    shutil.copytree(package.root, package_store.package("toys", digest))
    package_store.set_current("toys", digest)
    slot = package_store.folder("toys") / "current"
    file = slot if where == "slot" else package_store.package("toys", digest) / where
    file.unlink(missing_ok=True)
    if what == "device":
        os.symlink("/dev/zero", file)
    elif what == "link":
        os.symlink(package.root / "config.pbtxt", file)
    elif what == "pipe":
        os.mkfifo(file)
    else:
        os.mknod(file, 0o140600)

    (refused,) = Repository(package_store).load_models()

    assert "toys is not served: " in refused


def test_a_package_that_never_loads_holds_up_no_other(tmp_path, tiny_package, monkeypatch):
    package_store, gate, package = (
        PackageStore(tmp_path / "models"),
        threading.Event(),
        tiny_package(),
    )
    repository, digest = Repository(package_store, load_seconds=0.5), package.verify().digest
    opened = repository._open
    monkeypatch.setattr(
        repository, "_open", lambda name: gate.wait(30) if name == "hangs" else opened(name)
    )
    shutil.copytree(package.root, package_store.package("toys", digest))
    for name in ("hangs", "toys"):
        package_store.set_current(name, digest)

    refused = repository.load_models()
    gate.set()

    assert refused == ["hangs is not served: the package of hangs takes more than 0.5 s to load"]
    assert list(repository.get_models()) == ["toys"]


def test_after_some_packages_hang_no_other_is_tried(tmp_path, monkeypatch):
    package_store, gate = PackageStore(tmp_path / "models"), threading.Event()
    repository = Repository(package_store, load_seconds=0.01)
    monkeypatch.setattr(repository, "_open", lambda name: gate.wait(30))
    for number in range(MAX_HANGING):
        package_store.set_current(f"hangs-{number}", "0" * 64)
    repository.load_models()

    with pytest.raises(JobError, match=f"{MAX_HANGING} packages hang while they load"):
        repository._opening("toys")
    gate.set()


def test_a_package_that_the_runtime_cannot_open_is_refused_and_its_neighbours_are_served(
    tmp_path, tiny_package
):
    package_store, package, broken = (
        PackageStore(tmp_path / "models"),
        tiny_package(),
        tiny_package(dataset="odd"),
    )
    graph = onnx.load(broken.model)
    graph.graph.node[0].op_type = "NoSuchOperator"
    onnx.save(graph, broken.model)
    seal(broken, "odd", ("car",))
    for name, layout in (("odd", broken), ("toys", package)):
        digest = layout.verify().digest
        shutil.copytree(layout.root, package_store.package(name, digest))
        package_store.set_current(name, digest)
    repository = Repository(package_store)

    (refused,) = repository.load_models()

    assert refused.startswith("odd is not served: the package of odd cannot be loaded: ")
    assert "NoSuchOperator" in refused
    assert list(repository.get_models()) == ["toys"]
