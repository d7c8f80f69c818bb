"""A real server: its own process, asked over HTTP."""

import os
import shutil
import signal
import subprocess
import sys
import time

import httpx

from components.shared.inference.package_store import PackageStore


class Running:
    """A server process on a free port.

    Attributes:
        folder: Of its log and its package store, which another server may share.
        package_store: The packages it may load.
        client: Sends requests to it.
        name: Its role, such as `candidate`.
        admin_url: Where its models are loaded; empty for a reverse proxy.
        addresses: Its own, and of a reverse proxy the admin addresses of the servers behind it.
    """

    def __init__(
        self, folder, *options, job="serve_detector", name="server", sides=(), **environment
    ):
        self.folder, self.name = folder, name
        self.package_store = PackageStore(folder / "models")
        self.package_store.root.mkdir(exist_ok=True)
        port, self.log = folder / f"{name}.port", folder / f"{name}.log"
        admin = folder / f"{name}.admin-port"
        if job == "serve_detector":
            options = ("--admin-port", "0", "--admin-port-file", str(admin), *options)
        for side in sides:
            options = (*options, f"--{side.name}", side.url)
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "components", job, "--http-port", "0",
                 "--model-root", str(self.package_store.root), "--port-file", str(port), *options],
                env=os.environ | environment, stderr=log,
            )  # fmt: skip
        while not port.exists() or (job == "serve_detector" and not admin.exists()):
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.02)
        self.url = f"http://127.0.0.1:{port.read_text().strip()}"
        self.admin_url = f"http://127.0.0.1:{admin.read_text().strip()}" if admin.exists() else ""
        self.addresses = (self.url, *(side.admin_url for side in sides))
        self.client = httpx.Client(base_url=self.url, timeout=10)

    def put(self, package, dataset="toys"):
        """Put a package on the package store, make it current, and return its digest."""
        digest = package.verify().digest
        folder = self.package_store.package(dataset, digest)
        shutil.copytree(package.root, folder, dirs_exist_ok=True)
        self.package_store.set_current(dataset, digest)
        return digest

    def load(self, dataset="toys"):
        return self.order("load", dataset)

    def order(self, verb, dataset="toys"):
        """Load or unload a model at the admin port."""
        return self.client.post(f"{self.admin_url}/v2/repository/models/{dataset}/{verb}")

    def detect(self, jpeg, dataset="toys", **headers):
        return self.client.post(f"/v1/detect/{dataset}", content=jpeg, headers=headers)

    def stop(self):
        """Ask it to end, and return its exit code; a second time asks for nothing."""
        self.client.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(15)
