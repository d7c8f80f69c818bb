"""Every image builds, runs shut in, and takes the train pipeline to its end; no secret gets out.

`make prove-images` runs it and prints what it saw. Docker is real; PostgreSQL, the stream and
the object store are those of a laptop, unless the environment names others.
"""

import argparse
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import docker
from docker.types import Mount

from components.data.ingest_events.wait import wait_until_ingested
from components.images import image
from components.shared.contracts.progress import MARK
from components.shared.inference.signature import make_keys
from components.shared.store.stream import stream_id
from pipelines.graphs import GRAPHS
from pipelines.local.local_stack import LocalStack, local_stack
from pipelines.local.loop import slug
from tests.proofs.containers import (
    LABEL,
    SHUT,
    STORE,
    chosen,
    failing,
    run_in_containers,
    tasks_of,
)
from tests.proofs.needs import need_docker
from tests.proofs.planted import Search
from tests.proofs.shut_in import runs_shut_in
from tests.support.image_files import LINES

ROOT = Path(__file__).parents[2]
REAL = ROOT.parent / "shared/data/highway_vehicles"
GOALS_MB = {"core": 420, "trainer": 1900}
TRAINING = {"epochs": "12", "image_size": 192}
SIMULATED_FRAMES = 300
RECOGNISABLE = 16  # bytes; a shorter word may stand anywhere by chance
BASE = os.environ.get("BASE", "python:3.11-slim-bookworm")
OTHER_BASE = f"FROM {BASE}\nRUN echo {secrets.token_hex(8)} >/etc/fresh\n"


def main(data: str) -> int:
    """Prove all, say what was seen, and leave nothing but images behind."""
    need_docker()
    os.umask(0)  # containers and services are different people in the same folders
    with TemporaryDirectory() as folder, planted(Path(folder)) as secret:
        subprocess.run(["make", "images"], cwd=ROOT, check=True)
        good = build_keeps_no_secret(secret)
        good &= sizes()
        for name in LINES:
            good &= runs_shut_in(name)
        good &= failure_is_noticed(Path(folder))
        good &= pipeline_runs(Path(folder), data, secret)
        good &= nothing_leaked(Path(folder), secret)
    print("all as it should be" if good else "NOT as it should be")
    return 0 if good else 1


@contextmanager
def planted(folder: Path) -> Iterator[dict[str, bytes]]:
    """Put secrets where a build and a run could pick them up; yield them by name."""
    keys = make_keys(folder / "signing")
    keys.private.chmod(0o644)  # as Kubernetes mounts a secret
    token = f"token-{secrets.token_hex(16)}"
    os.environ |= {
        "CARS_STATE": str(folder / "state"),
        "MODEL_ROOT": str(folder / "artifacts/serving"),
        "SIGNING_PRIVATE_KEY": str(keys.private),
        "SIGNING_PUBLIC_KEY": str(keys.public),
        "PIP_TRUSTED_HOST": f"{token}.invalid",
        "PYTHON": sys.executable,  # whose pip tells make what pip is told here
    }
    if "OBJECT_STORE_URL" not in os.environ:
        os.environ["OBJECT_STORE_URL"] = (folder / "artifacts/objects").as_uri()
        os.environ["AWS_ACCESS_KEY_ID"] = secrets.token_hex(10)
        os.environ["AWS_SECRET_ACCESS_KEY"] = secrets.token_hex(20)
    lying_about = ROOT / f"{token}.env"
    lying_about.write_text(token)
    try:
        known = {
            "token of the build": token.encode(),
            "signing key": keys.private.read_bytes().split(b"\n")[1],
            "access key": os.environ.get("AWS_ACCESS_KEY_ID", "").encode(),
            "secret key": os.environ.get("AWS_SECRET_ACCESS_KEY", "").encode(),
        }
        yield {name: secret for name, secret in known.items() if len(secret) >= RECOGNISABLE}
    finally:
        lying_about.unlink()


def build_keeps_no_secret(secret: dict[str, bytes]) -> bool:
    """Build the packages of core with the token at hand, and look for it in them."""
    if secret["token of the build"] not in (ROOT / "build/pip.conf").read_bytes():
        print("the build was not told the token: nothing is proven")
        return False
    client, base = docker.from_env(), f"{LABEL}:base"
    # On another base, for otherwise Docker would take what it has built already.
    client.images.build(fileobj=BytesIO(OTHER_BASE.encode()), tag=base)
    command = ["make", "core-packages", "IMAGE_TAG=proof", f"BASE={base}"]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    built = f"{image('core').rsplit(':', 1)[0]}:proof-packages"
    good = no_secret_in_images("a build with the token at hand", [built], secret)
    for name in (built, base):
        client.images.remove(name)
    return good


def sizes() -> bool:
    """Print what each image weighs, and whether that is within its goal."""
    client = docker.from_env()
    print(f"\n{BASE} {client.images.get(BASE).attrs['Size'] / 1e6:,.0f} MB, in every image")
    good = True
    for name in LINES:
        attrs = client.images.get(image(name)).attrs
        megabytes, goal = attrs["Size"] / 1e6, GOALS_MB.get(name)
        good &= goal is None or megabytes <= goal
        print(f"{name:10} {megabytes:7,.0f} MB" + (f", goal {goal:,} MB" if goal else ""))
    return good


def failure_is_noticed(folder: Path) -> bool:
    """Let a task end with exit code 3, and compare what is said of it."""
    graph = failing(image("core"))
    watch, kubeflow = run_in_containers(graph, folder / "fails", {}, dict(os.environ))
    said = watch.complaints(tasks_of(graph))
    print(f"\na task that exits with 3: kfp.local says {kubeflow!r}, we say {said}")
    return said == ["fails ended with 3"]


def pipeline_runs(folder: Path, data: str, secret: dict[str, bytes]) -> bool:
    """Import data and run the train pipeline, every job in its container."""
    artifacts, graph = folder / "artifacts", GRAPHS["train"]
    artifacts.mkdir(exist_ok=True)
    with local_stack() as stack:
        secret["database password"] = (urlsplit(stack.env["DATABASE_URL"]).password or "").encode()
        dataset = arrive(stack, data, artifacts)
        started = time.monotonic()
        parameters = {"dataset": dataset, **TRAINING}
        watch, kubeflow = run_in_containers(graph, artifacts, parameters, stack.env)
    print(f"train on {dataset}: {time.monotonic() - started:.0f} s, kfp.local says {kubeflow!r}")
    for seen in watch.seen.values():
        print(f"  {seen.task:20} exit {seen.code}, {seen.seconds:3} s")
    said = watch.complaints(tasks_of(graph))
    print("\n".join(said) or "every task of the graph ran once and ended with 0")
    if said:
        print((artifacts / "log.txt").read_text()[-6000:])
    return not said


def arrive(stack: LocalStack, data: str, artifacts: Path) -> str:
    """Send labelled images to the stream, from a container, and wait until they are known."""
    mounts = [Mount(str(artifacts), str(artifacts), type="bind")]
    source = Path(data) if data else REAL
    if data or REAL.is_dir():
        dataset = slug(source.resolve().name)
        words = ["import_dataset", f"--dataset={dataset}", "--source=/data"]
        mounts.append(Mount("/data", str(source.resolve()), type="bind", read_only=True))
    else:
        dataset = "car-parks"
        words = ["simulate_cameras", f"--dataset={dataset}", f"--frames={SIMULATED_FRAMES}"]
    said = docker.from_env().containers.run(
        image("data"), words, environment=chosen(stack.env, ("KAFKA_", *STORE)), mounts=mounts,
        remove=True, stderr=True, **SHUT,
    )  # fmt: skip
    (artifacts / "import.txt").write_bytes(said)
    told = [line for line in said.decode().splitlines() if line.startswith(MARK)]
    print(f"\n{words[0]}: {told[-1].removeprefix(MARK)}")
    servers = stack.env["KAFKA_BOOTSTRAP_SERVERS"]
    stream = stream_id(servers, stack.env.get("KAFKA_STREAM_ID"))
    wait_until_ingested(stack.env["DATABASE_URL"], servers, stream, meanwhile=stack.must_run)
    return dataset


def nothing_leaked(folder: Path, secret: dict[str, bytes]) -> bool:
    """Search everything that others get to see."""
    compiled = folder / "compiled"
    subprocess.run(
        [sys.executable, "compile.py", str(compiled)], cwd=ROOT, check=True, capture_output=True
    )
    print(f"\nlooking for {', '.join(secret)}")
    places = {
        "compiled pipelines": compiled,
        "parameters, logs and artifacts of the run": folder / "artifacts",
        "logs of services": folder / "state/logs",
    }
    good = True
    for title, place in places.items():
        search = Search(secret)
        search.folder(place)
        good &= reported(title, search)
    return good & no_secret_in_images("all images", [image(name) for name in LINES], secret)


def no_secret_in_images(title: str, names: list[str], secret: dict[str, bytes]) -> bool:
    """Search every file of every layer of some images, and their configurations."""
    search = Search(secret)
    with subprocess.Popen(["docker", "save", *names], stdout=subprocess.PIPE) as saved:
        assert saved.stdout
        search.image(saved.stdout, title)
    return reported(title, search) and saved.returncode == 0


def reported(title: str, search: Search) -> bool:
    """Print what was searched, and say whether it held no secret."""
    print(f"{title}: {search.files:,} files, {search.size:,} bytes, {len(search.found)} found")
    for found in search.found[:20]:
        print(f"  {found}")
    return not search.found and search.size > 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="", help="folder of labelled images")
    sys.exit(main(parser.parse_args().data))
