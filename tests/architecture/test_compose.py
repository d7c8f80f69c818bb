"""What compose.yaml promises: nothing is open, privileged, unpinned, or waits for luck."""

import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from components.__main__ import JOBS
from components.images import image
from pipelines.policy.secrets import form_of_secret, looks_random, names_a_secret

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "compose.yaml").read_text()
WHOLE = yaml.safe_load(TEXT)
SERVICES = WHOLE["services"]
ONCE = {"own-volumes", "make-bucket", "migrate", "import-dataset", "deploy-model"}
VARIABLE = re.compile(r"\$\{(\w+)(:[-?][^}]*)?\}")
SECRETS = sorted({name for name, rest in VARIABLE.findall(TEXT) if rest.startswith(":?")})

every_service = pytest.mark.parametrize("name", SERVICES)


@every_service
def test_a_service_runs_a_pinned_image(name):
    reference = VARIABLE.sub(lambda found: found[2].removeprefix(":-"), SERVICES[name]["image"])
    _, tag = reference.rsplit(":", 1)

    assert tag not in ("latest", "")
    if "car-detection" in reference:
        assert reference == image(reference.rsplit("/", 1)[1].removesuffix(f":{tag}"))
    else:
        assert re.search(r"\d+\.\d+", tag)


@every_service
def test_a_service_is_restricted(name):
    service = SERVICES[name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service.keys() & {"privileged", "pid", "ipc", "devices", "env_file"}
    assert service.get("network_mode") in (None, "none")


def test_nobody_is_root_but_who_gives_volumes_to_their_owners():
    root = {name for name, service in SERVICES.items() if service["user"].startswith("0")}
    capable = {name: s["cap_add"] for name, s in SERVICES.items() if "cap_add" in s}

    assert root == {"own-volumes"}
    assert capable == {"own-volumes": ["CHOWN"]}
    assert SERVICES["own-volumes"]["network_mode"] == "none"


@every_service
def test_a_service_is_healthy_or_over_before_another_builds_on_it(name):
    service = SERVICES[name]

    assert ("healthcheck" in service) == (name not in ONCE)
    assert service["restart"] == ("no" if name in ONCE else "unless-stopped")
    for other, how in service.get("depends_on", {}).items():
        over = "service_completed_successfully" if other in ONCE else "service_healthy"
        assert how == {"condition": over}
        assert "profiles" not in SERVICES[other]


@every_service
def test_a_service_listens_on_this_machine_alone(name):
    for port in SERVICES[name].get("ports", ()):
        assert re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port)


def test_every_address_of_a_service_is_one_of_the_services():
    hosts = set(re.findall(r"(?:://|@|=)([a-z-]+)(?=[:/]\d|/cars)", TEXT))
    named = {part.split("=")[-1].split(":")[0] for part in re.findall(r"\w+=[\w-]+:\d+", TEXT)}

    assert hosts | named <= set(SERVICES) | {"localhost"}


@every_service
def test_a_service_has_no_secret_of_its_own(name):
    for key, value in SERVICES[name].get("environment", {}).items():
        if names_a_secret(key) and not VARIABLE.fullmatch(str(value)):
            assert re.fullmatch(r"postgresql://\w+@postgres/cars", value), key
        assert not form_of_secret(str(value))
        assert not looks_random(str(value))


def test_every_password_must_be_given():
    assert SECRETS == [
        "INGEST_PASSWORD", "OWNER_PASSWORD", "PIPELINE_PASSWORD", "S3_ACCESS_KEY", "S3_SECRET_KEY",
    ]  # fmt: skip
    assert {name for name, rest in VARIABLE.findall(TEXT) if not rest} == set()
    assert ".env" in (ROOT / ".gitignore").read_text().splitlines()


def test_what_our_images_run_is_a_job_of_ours():
    words = {
        word
        for service in SERVICES.values()
        if "car-detection" in service["image"]
        for word in [*service.get("entrypoint", ()), *service.get("command", ())]
    }

    assert words & set(JOBS) == {
        "deploy_model", "import_dataset", "ingest_events", "route_requests", "serve_detector",
    }  # fmt: skip
    assert (ROOT / "components/shared/store/migrate.py").exists()
    assert "components.shared.store.migrate" in words


def test_every_file_and_volume_that_is_mounted_is_there():
    for service in SERVICES.values():
        for mount in service.get("volumes", ()):
            source = mount.split(":")[0]
            assert source in WHOLE["volumes"] or (ROOT / source).exists(), mount


def test_what_mounts_a_volume_waits_until_it_is_its_own():
    (owner,) = (s for s in [SERVICES["own-volumes"]])
    given = {mount.split(":")[0] for mount in owner["volumes"]}

    assert given == set(WHOLE["volumes"])
    for name, service in SERVICES.items():
        if name != "own-volumes" and given & {v.split(":")[0] for v in service.get("volumes", ())}:
            assert "own-volumes" in ancestors(name), name


def ancestors(name):
    direct = set(SERVICES[name].get("depends_on", {}))
    return direct.union(*(ancestors(other) for other in direct))


def compose(*words, **env):
    return subprocess.run(
        ["docker", "compose", *words],
        cwd=ROOT, env={"PATH": os.environ["PATH"], **env}, capture_output=True, text=True,
    )  # fmt: skip


def is_installed():
    try:
        return compose("version").returncode == 0
    except OSError:
        return False


@pytest.mark.skipif(not is_installed(), reason="no docker compose")
def test_docker_compose_understands_the_file_where_docker_compose_is_installed():
    given = dict.fromkeys(SECRETS, "x")

    assert compose("--env-file", "/dev/null", "config", "--quiet", **given).returncode == 0
    for name in SECRETS:
        asked = compose("--env-file", "/dev/null", "config", "--quiet", **given | {name: ""})
        assert "name it in .env" in asked.stderr
