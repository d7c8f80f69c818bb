"""What runs in a pod: the real server as a process, or in a thread where a test must be quick."""

import json
import os
import shutil
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any, Protocol

from components.shared.contracts.model import DetectAnswer
from components.shared.inference.detector import Detector
from components.shared.inference.package_store import PackageStore
from components.shared.vision.jpeg import decode_jpeg
from tests.standins.http_server import HttpServer, QuietHandler

GRACE_S = 20


class Server(Protocol):
    """A container of a pod."""

    def exit_code(self) -> int | None:
        """Return how it ended, or None while it runs."""

    def last_words(self) -> str:
        """Return the end of its log."""

    def stop(self) -> None:
        """End it as a kubelet does."""

    def kill(self) -> None:
        """End it without a warning."""


class Process:
    """`serve_detector` over a downloaded release, with the container's arguments."""

    def __init__(self, folder: Path, ip: str, port: int, container: Any, env: dict[str, str]):
        args = [str(folder / "models") if each == "/mnt/models" else each
                for each in container["args"]]  # fmt: skip
        args[args.index("0.0.0.0")] = ip
        values = {each["name"]: each["value"] for each in container["env"] if "value" in each}
        self._log = folder / "log"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "components", *args, f"--http-port={port}", "--inferences=1"],
            env=os.environ | values | env, stdout=subprocess.DEVNULL,
            stderr=self._log.open("w"),
        )  # fmt: skip

    def exit_code(self) -> int | None:
        return self._process.poll()

    def last_words(self) -> str:
        return self._log.read_text()[-2000:]

    def stop(self) -> None:
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(GRACE_S)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


class Thread:
    """A small server that answers with the packages of a release, in this process."""

    def __init__(self, folder: Path, ip: str, port: int, container: Any, env: dict[str, str]):
        del container
        self._code = int(env["EXIT_CODE"]) if "EXIT_CODE" in env else None
        self._words = env.get("LAST_WORDS", "")
        package_store = PackageStore(folder / "models")
        models = {name: package_store.current(name) or "" for name in package_store.datasets()}
        opened = {
            name: Detector.open(package_store.package(name, model))
            for name, model in models.items()
        }
        self._http = None
        if self._code is None:
            self._http = HttpServer(answering(opened), ip, port)

    def exit_code(self) -> int | None:
        return self._code

    def last_words(self) -> str:
        return self._words

    def stop(self) -> None:
        if self._http:
            self._http.stop()
            self._http = None
        self._code = 0 if self._code is None else self._code

    def kill(self) -> None:
        self.stop()
        self._code = 137


def answering(detectors: dict[str, Detector]) -> type[QuietHandler]:
    """Return what answers for some datasets, as `serve_detector` does."""

    class Handler(QuietHandler):
        def do_GET(self) -> None:  # noqa: N802 (the library's name)
            self.send(200, b"{}" if "health" in self.path else b"")

        def do_POST(self) -> None:  # noqa: N802
            jpeg = self.read_body()
            dataset = self.path.rpartition("/")[2]
            if dataset not in detectors:
                return self.send(404, json.dumps({"error": "no such dataset"}).encode())
            detector, image = detectors[dataset], decode_jpeg(jpeg)
            answer = DetectAnswer(
                model=detector.digest, dataset=dataset, request_id=uuid.uuid4().hex,
                width=image.shape[1], height=image.shape[0], boxes=detector.detect(image),
                latency_ms=1.0,
            )  # fmt: skip
            return self.send(200, answer.model_dump_json().encode())

    return Handler


def forget(folder: Path) -> None:
    """Remove what a pod downloaded."""
    shutil.rmtree(folder, ignore_errors=True)
