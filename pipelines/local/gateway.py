"""Local gateway: the HTTP API as a child process, and an API key for this machine."""

import os
import sys
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import httpx

from components.shared.contracts.api_key import new_key
from components.shared.store.api_keys import add_key, list_keys
from components.shared.store.postgres import connect
from pipelines.local.processes import Child, Part


class Gateway(Part):
    """The HTTP API, started by the constructor.

    Args:
        state: The state folder; `gateway/admin-key` in it becomes an API key of the role admin.
        env: Its environment: the addresses of database, Kafka, object store and detector.
        port: TCP port.
        owner_url: URL of the database with the rights of its owner, who makes API keys.

    Attributes:
        url: Address of the API.
        key_file: File with the API key.
        child: The process.
    """

    def __init__(self, state: Path, env: Mapping[str, str], port: int, owner_url: str) -> None:
        self.key_file = state / "gateway" / "admin-key"
        key_in_file(self.key_file, owner_url)
        self.url = f"http://127.0.0.1:{port}"
        command = [sys.executable, "-m", "components", "gateway", f"--http-port={port}"]
        self.child = Child("the gateway", command, state / "logs" / "gateway.txt", env)
        try:
            with httpx.Client(timeout=2) as client:
                self.child.wait_until(lambda: self._is_live(client))
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop the process."""
        self.child.stop()

    def _is_live(self, client: httpx.Client) -> bool:
        try:
            return client.get(f"{self.url}/health/live").status_code == 200
        except httpx.TransportError:
            return False


def key_in_file(file: Path, url: str) -> str:
    """Return the key of the role admin that a file holds; make both if there is none.

    Args:
        file: Only its owner may read it.
        url: URL of the database, with the rights of its owner.
    """
    with closing(connect(url)) as connection:
        valid = {key.key_id for key in list_keys(connection) if key.is_valid(datetime.now(UTC))}
        if file.exists() and file.read_text().split("_")[1] in valid:
            return file.read_text().strip()
        key, credentials = new_key("this machine", ("admin",), datetime.now(UTC))
        add_key(connection, key)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as text:
        text.write(f"{credentials}\n")
    return str(credentials)
