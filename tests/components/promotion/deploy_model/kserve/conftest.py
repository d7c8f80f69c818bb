import pytest

from components.shared.store.objects import Objects
from tests.standins.api_server import ApiServer
from tests.support.kserve_rollouts import Stage

KSERVE = "components.promotion.deploy_model.kserve"


@pytest.fixture
def stage(object_store, tiny_package, tmp_path, monkeypatch):
    """A cluster in which KServe's stand-in follows; what waits for seconds waits for less."""
    for name, seconds in {
        "inference_service.LOOK_S": 0.05, "inference_service.RECENT_S": 0.1, "changes.LOOK_S": 0.05,
        "awaiting.FOLLOW_S": 30, "shares.FOLLOW_S": 30, "shares.PROXY_S": 0.1,
        "awaiting.ADMISSION_S": 0.5,
    }.items():  # fmt: skip
        monkeypatch.setattr(f"{KSERVE}.{name}", seconds)
    server = ApiServer()
    with server.client() as api:
        stage = Stage(server, api, Objects(object_store), tiny_package, tmp_path / "stage")
        with stage.kserve:
            yield stage
