"""A stand-in for the API server and the kubelet: pods and custom objects of a namespace, in memory.

It is an `ApiClient` that answers by itself. Pods run as soon as they are created and end when
a test says so. A graceful deletion marks an object, which is gone after `let_go`.
"""

import json
import threading
from copy import deepcopy
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from kubernetes import client

from tests.standins.labels import selected

Object = dict[str, Any]


class KubernetesInMemory(client.ApiClient):
    """Keeps objects by path; several threads may ask at once."""

    def __init__(self) -> None:
        super().__init__(client.Configuration())
        self.objects: dict[str, Object] = {}
        self.lock = threading.RLock()
        self.made = 0

    def call_api(self, resource_path, method, path_params=None, query_params=None, *_, body=None,
                 response_type=None, _preload_content=True, **__):  # fmt: skip
        for name, value in (path_params or {}).items():
            resource_path = resource_path.replace(f"{{{name}}}", str(value))
        body, options = self.sanitize_for_serialization(body), dict(query_params or ())
        with self.lock:
            if resource_path.endswith("/log"):
                return "" if _preload_content else SimpleNamespace(stream=lambda: iter(()))
            answer = deepcopy(getattr(self, f"_{method.lower()}")(resource_path, body, options))
        return self.deserialize(SimpleNamespace(data=json.dumps(answer)), response_type)

    def pods(self) -> list[Object]:
        """Return the pods in the order of their names."""
        return [each for path, each in sorted(self.objects.items()) if "/pods/" in path]

    def let_go(self) -> None:
        """Remove what is being deleted, and begin to delete what belongs to it."""
        with self.lock:
            for path, each in list(self.objects.items()):
                if _leaves(each):
                    owned = [at for at, one in self.objects.items() if _owner(one) == _uid(each)]
                    for place in owned:
                        self._delete(place, None, {})
                    if not owned:
                        del self.objects[path]

    def end(self, pod: str, code: int) -> None:
        """Let a pod's process end by itself."""
        with self.lock:
            status = self._find(f"/pods/{pod}")["status"]
            status["phase"] = "Failed" if code else "Succeeded"
            end = {"exitCode": code, "reason": "Error" if code else "Completed"}
            status["containerStatuses"][0]["state"] = {"terminated": end}

    def _get(self, path: str, body: Any, options: Object) -> Object:
        if path in self.objects:
            return self.objects[path]
        if not path.endswith(("s", "/")):
            raise client.ApiException(404)
        items = [each for place, each in self.objects.items() if place.rpartition("/")[0] == path]
        return {"items": selected(items, options.get("labelSelector", ""))}

    def _post(self, path: str, body: Object, options: Object) -> Object:
        place = f"{path}/{body['metadata']['name']}"
        if place in self.objects:
            raise client.ApiException(409)
        self.made += 1
        self.objects[place] = deepcopy(body)
        now = datetime.now(UTC).isoformat()
        self.objects[place]["metadata"] |= {"uid": str(self.made), "creationTimestamp": now}
        if "/pods/" in place:
            states = [
                {"name": each["name"], "image": "", "imageID": "", "ready": True,
                 "restartCount": 0, "state": {"running": {}}}
                for each in body["spec"]["containers"]
            ]  # fmt: skip
            self.objects[place]["status"] = {"phase": "Running", "containerStatuses": states}
        return self.objects[place]

    def _put(self, path: str, body: Object, options: Object) -> Object:
        stored = self._get(path.removesuffix("/status"), None, {})
        stored["status"] = body["status"]
        return stored

    def _delete(self, path: str, body: Any, options: Object) -> Object:
        found = self._get(path, None, {})
        if options.get("gracePeriodSeconds") == 0:
            return self.objects.pop(path)
        found["metadata"].setdefault("deletionTimestamp", datetime.now(UTC).isoformat())
        return found

    def _find(self, end: str) -> Object:
        return next(each for path, each in self.objects.items() if path.endswith(end))


def _leaves(found: Object) -> bool:
    return "deletionTimestamp" in found["metadata"]


def _uid(found: Object) -> str:
    return found["metadata"]["uid"]


def _owner(found: Object) -> str:
    return next((each["uid"] for each in found["metadata"].get("ownerReferences", ())), "")
