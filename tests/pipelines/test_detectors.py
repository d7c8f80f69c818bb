"""The detectors of `make serve`: three processes, of which the servers come back."""

import json
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from components.shared.inference.package_store import PackageStore
from pipelines.local.detectors import Detectors
from pipelines.local.local_stack import LocalStack
from tests.support.jpegs import JPEG
from tests.support.tiny_packages import make_package
from tests.support.waiting import await_true

SHARED = Path(__file__).parents[3] / "shared"
MAKER = SHARED / "cases/make_cases.py"
NAME = "cars.example"
PATIENCE_S = 60.0


class Served:
    """Detectors that have a package, and a client who calls them by a name that they were told."""

    def __init__(self, detectors: Detectors, stack: LocalStack, client: httpx.Client) -> None:
        self.stable, *_ = detectors.children
        self.stack, self.client = stack, client
        self.url = f"{detectors.env['DETECTOR_URL']}/v1/detect/toys"

    def detect(self, jpeg: bytes = JPEG, host: str = NAME) -> httpx.Response:
        return self.client.post(self.url, content=jpeg, headers={"Host": host})


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    folder = tmp_path_factory.mktemp("home")
    package_store, package = (
        PackageStore(folder / "models"),
        make_package(folder / "made", width=320, height=320),
    )
    model = package.verify().digest
    package_store.package("toys", model).parent.mkdir(parents=True)
    package.root.rename(package_store.package("toys", model))
    package_store.set_current("toys", model)
    env = os.environ | {"MODEL_ROOT": str(package_store.root), "DETECTOR_HOST_NAMES": NAME}
    with Detectors(folder, env) as detectors, httpx.Client(timeout=60) as client:
        yield Served(detectors, LocalStack(folder, env, detectors.children, detectors), client)


def test_clients_call_the_front_door_by_the_name_that_the_environment_tells_and_by_no_other(
    served,
):
    assert [served.detect(host=host).status_code for host in (NAME, "evil.example")] == [200, 421]


@pytest.mark.skipif(not MAKER.exists(), reason="no shared data")
def test_photographs_with_bytes_behind_their_end_are_answered_as_without(served, tmp_path):
    subprocess.run([sys.executable, MAKER, tmp_path, "28"], check=True, capture_output=True)
    truth = json.loads((tmp_path / "truth/28-motion-photos.json").read_text())
    photographs = [
        file.read_bytes() for file in (SHARED / "data/highway_vehicles/images").glob("*")
    ]
    seen, boxes = [], 0
    for name, image in truth["images"].items():
        content = (Path(truth["data"]) / name).read_bytes()
        answer = served.detect(content)
        if image["must"] == "either":  # without its end marker
            assert answer.status_code == 200 or "its end marker is missing" in answer.text
            continue
        (plain,) = (one for one in photographs if content.startswith(one))
        right, found = served.detect(plain).json(), answer.json()
        boxes += len(right["boxes"])
        same = all(found[part] == right[part] for part in ("boxes", "width", "height"))
        seen.append((same, [found["width"], found["height"]] == image["size"]))

    assert seen == [(True, True)] * 34
    assert boxes > 34


def test_a_stable_server_that_was_killed_comes_back_and_clients_are_answered_again(served):
    killed = served.stable.process
    killed.kill()
    killed.wait()

    def answered() -> bool:
        served.stack.must_run()  # as `make serve` does twice a second
        return served.detect().status_code == 200

    assert await_true(answered, PATIENCE_S)
    assert served.stable.process.pid != killed.pid
