"""A stand-in for the API server of Kubeflow Pipelines, for machines that cannot run one.

Nothing runs in it and nothing fires. It is written from the published v2beta1 API (the paths
and models of `kfp_server_api`), keeps all in memory, answers over real HTTP, refuses unknown
fields, and neither needs unique names nor has verbs where Kubeflow does not. What it knows of a
real server, and of which version, stands in README.md.
"""

import itertools
import re
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Self

import kfp_server_api
import yaml

from tests.standins.argo_workflow import Ends, Workflow
from tests.standins.http_server import HttpServer
from tests.standins.pipelines_http import (
    Body,
    Handler,
    Refused,
    body_of,
    one_of,
    page_of,
    refuse_twice,
    refuse_what_is_no_literal,
    uploaded_file,
)

V2 = "/apis/v2beta1"
V1 = "/apis/v1beta1"
LOG = "/apis/v1alpha1/runs/([^/]+)/nodes/([^/]+)/log"  # unpublished: the server's own source
START = datetime(2026, 1, 1, tzinfo=UTC)
ACTIVE = ("PENDING", "RUNNING", "CANCELING")
ACCOUNT = "pipeline-runner"  # whose rights a run has for which none is named


class KubeflowPipelines:
    """One host, from `with` until its end.

    It keeps verb and path of every `requests`, and their `tokens`. With a `token` it wants to
    be shown that. `before` and `after` are called with verb and path of a request before it is
    done and before it is answered. `workflows` are those of runs that were played, as long as
    they are not collected; `v1beta1` is whether the older interface is served.
    """

    def __init__(self, token: str = "", multi_user: bool = False, v1beta1: bool = True) -> None:
        self.experiments: dict[str, Body] = {}
        self.pipelines: dict[str, Body] = {}
        self.versions: dict[str, Body] = {}
        self.runs: dict[str, Body] = {}
        self.recurringRuns: dict[str, Body] = {}  # the published API writes it so
        self.workflows: dict[str, Workflow] = {}
        self.collected: set[str] = set()  # runs whose workflow is gone
        self.requests: list[tuple[str, str]] = []
        self.tokens: list[str] = []
        self.token, self.multi_user, self.v1beta1 = token, multi_user, v1beta1
        self.before = self.after = lambda verb, path: None
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        handler = type("Bound", (Handler,), {"kubeflow": self})
        self._server = HttpServer(handler)
        self.url = self._server.url
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()

    def changes(self) -> list[tuple[str, str]]:
        """Return the requests so far that were more than questions."""
        return [(verb, path) for verb, path in self.requests if verb != "GET"]

    def finish(self, run: str, state: str) -> None:
        one_of(self.runs, run)["state"] = state

    def play(self, run: str, ends: Mapping[str, Ends] | None = None, state: str = "") -> Workflow:
        """Let a run come as far as its tasks do, which succeed where nothing else is said."""
        workflow = Workflow(f"flow-{run}", self.spec_of(self.runs[run]), dict(ends or {}))
        phase = state or workflow.nodes[workflow.name]["phase"].upper()
        self.runs[run].update(state=phase, run_details={"task_details": workflow.task_details(run)})
        self.workflows[run] = workflow
        return workflow

    def spec_of(self, body: Body) -> Body:
        """Return the compiled pipeline of a run."""
        if spec := body.get("pipeline_spec"):
            return spec.get("pipeline_spec", spec)
        key = body["pipeline_version_reference"]["pipeline_version_id"]
        return one_of(self.versions, key)["pipeline_spec"]["pipeline_spec"]

    def fire(self, recurring: str) -> str:
        """Start a run of a recurring run, as its controller does."""
        made = one_of(self.recurringRuns, recurring)
        unlike = ("recurring_run_id", "created_at", "trigger", "mode", "status", "description")
        body = {key: value for key, value in made.items() if key not in unlike}
        body |= {"recurring_run_id": recurring, "state": "RUNNING"}
        return str(self._keep(self.runs, "run", body)["run_id"])

    def answer(self, verb: str, path: str, query: dict[str, str], data: bytes) -> Any:
        for wanted, pattern, act in ROUTES:
            if verb == wanted and (match := re.fullmatch(pattern, path)):
                with self._lock:
                    return act(self, *match.groups(), query=query, data=data)
        raise Refused(404, f"no {verb} {path}")

    def create(self, kind: str, data: bytes) -> Body:
        """Make an experiment or a pipeline, whose names are unique."""
        body = body_of(getattr(kfp_server_api, f"V2beta1{kind[:-1].title()}"), data)
        refuse_twice(getattr(self, kind).values(), body["display_name"])
        return self._keep(getattr(self, kind), kind[:-1], body)

    def upload_version(self, query: Any, data: bytes) -> Body:
        pipeline = one_of(self.pipelines, query["pipelineid"])["pipeline_id"]
        refuse_twice(self.of(pipeline), query["name"])
        documents = yaml.load_all(uploaded_file(data), yaml.CSafeLoader)
        spec = dict(zip(("pipeline_spec", "platform_spec"), documents, strict=False))
        body = {"display_name": query["name"], "description": query.get("description", "")}
        body |= {"pipeline_id": pipeline, "pipeline_spec": spec}
        return self._keep(self.versions, "pipeline_version", body)

    def create_run(self, query: Any, data: bytes) -> Body:
        body = body_of(kfp_server_api.V2beta1Run, data)
        self._refer(body)
        return self._keep(self.runs, "run", body | {"state": "PENDING"})

    def terminate(self, run: str) -> Body:
        """Let the workflow of a run end; without a workflow there is nothing to end."""
        body = one_of(self.runs, run)
        if run in self.collected:
            raise Refused(
                500, f"Failed to terminate run {run} due to error terminating its workflow"
            )
        if body["state"] in ACTIVE:
            body["state"] = "CANCELING"
        return {}

    def drop_recurring(self, key: str) -> Body:
        """Forget a recurring run, and collect the workflows that belong to it."""
        for run, body in self.runs.items():
            if body.get("recurring_run_id") == key and body["state"] in ACTIVE:
                self.collected.add(run)
                self.workflows.pop(run, None)
        return self.drop("recurringRuns", key)

    def workflow(self, run: str) -> Body:
        """Return a run as the older interface does, with its workflow."""
        if not self.v1beta1:
            raise Refused(404, "Not Found")
        known = self.workflows.get(run)
        runtime = {"workflow_manifest": known.manifest} if known else {}
        return {"run": {"id": one_of(self.runs, run)["run_id"]}, "pipeline_runtime": runtime}

    def log(self, run: str, node: str) -> Any:
        """Return the log of a pod; that there is none is said with status 200."""
        logs = self.workflows[run].logs if run in self.workflows else {}
        if node in logs:
            return logs[node]
        why = f'Failed to read logs for run {run}: pods "{node}" not found'
        return {"error_message": why, "error_details": f"rpc error: code = NotFound desc = {why}"}

    def drop(self, kind: str, key: str) -> Body:
        """Forget one of a kind; a pipeline only when it has no more versions."""
        one_of(getattr(self, kind), key)
        if kind == "pipelines" and self.of(key):
            raise Refused(400, "a pipeline that has versions is not deleted")
        del getattr(self, kind)[key]
        return {}

    def create_recurring(self, query: Any, data: bytes) -> Body:
        body = body_of(kfp_server_api.V2beta1RecurringRun, data)
        self._refer(body)
        if not 1 <= int(body.get("max_concurrency", 0)) <= 10:
            raise Refused(400, "The max concurrency of the recurring run is out of range")
        cron = body["trigger"]["cron_schedule"]["cron"]
        if not cron.startswith("@") and len(cron.split()) not in (5, 6):
            raise Refused(400, "Schedule cron is not a supported format")
        body["status"] = f"{body['mode']}D"
        return self._keep(self.recurringRuns, "recurring_run", body)

    def switch_recurring(self, run: str, verb: str, query: Any, data: bytes) -> Body:
        one_of(self.recurringRuns, run).update(mode=verb.upper(), status=f"{verb.upper()}D")
        return {}

    def _refer(self, body: Body) -> None:
        one_of(self.experiments, body["experiment_id"])
        refuse_what_is_no_literal(self.spec_of(body), body)
        body["service_account"] = body.get("service_account") or ACCOUNT

    def list_versions(self, pipeline: str, query: Any, data: Any) -> Body:
        return page_of("pipeline_versions", self.of(pipeline), query)

    def of(self, pipeline: str) -> list[Body]:
        return [one for one in self.versions.values() if one["pipeline_id"] == pipeline]

    def page(self, kind: str, query: dict[str, str]) -> Body:
        """Return one page of what is kept of a kind, in a namespace if it has one."""
        wanted = query.get("namespace", "")
        if self.multi_user and not (wanted or query.get("experiment_id") or kind == "pipelines"):
            raise Refused(400, "In multi-user mode, namespace must be given")
        kept: dict[str, Body] = getattr(self, kind)
        found = [one for one in kept.values() if one.get("namespace", wanted) == wanted]
        return page_of(kind, found, query)

    def _keep(self, kept: dict[str, Body], kind: str, body: Body) -> Body:
        number = next(self._numbers)
        key, created = f"{kind}-{number:04}", START + timedelta(seconds=number)
        kept[key] = body | {f"{kind}_id": key, "created_at": created.isoformat()}
        return kept[key]


ROUTES: tuple[tuple[str, str, Callable[..., Any]], ...] = (
    ("GET", f"{V2}/healthz", lambda it, **_: {"multi_user": it.multi_user}),
    ("POST", f"{V2}/experiments", lambda it, data, **_: it.create("experiments", data)),
    ("GET", f"{V2}/experiments", lambda it, query, **_: it.page("experiments", query)),
    ("POST", f"{V2}/pipelines", lambda it, data, **_: it.create("pipelines", data)),
    ("GET", f"{V2}/pipelines", lambda it, query, **_: it.page("pipelines", query)),
    ("DELETE", f"{V2}/pipelines/([^/]+)", lambda it, key, **_: it.drop("pipelines", key)),
    ("POST", f"{V2}/pipelines/upload_version", KubeflowPipelines.upload_version),
    ("GET", f"{V2}/pipelines/([^/]+)/versions", KubeflowPipelines.list_versions),
    (
        "GET",
        f"{V2}/pipelines/[^/]+/versions/([^/]+)",
        lambda it, key, **_: one_of(it.versions, key),
    ),
    (
        "DELETE",
        f"{V2}/pipelines/[^/]+/versions/([^/]+)",
        lambda it, key, **_: it.drop("versions", key),
    ),
    ("POST", f"{V2}/runs", KubeflowPipelines.create_run),
    ("GET", f"{V2}/runs", lambda it, query, **_: it.page("runs", query)),
    ("GET", f"{V2}/runs/([^/:]+)", lambda it, run, **_: one_of(it.runs, run)),
    ("DELETE", f"{V2}/runs/([^/:]+)", lambda it, key, **_: it.drop("runs", key)),
    ("POST", f"{V2}/runs/([^/:]+):terminate", lambda it, run, **_: it.terminate(run)),
    ("GET", f"{V1}/runs/([^/:]+)", lambda it, run, **_: it.workflow(run)),
    ("GET", LOG, lambda it, run, node, **_: it.log(run, node)),
    ("POST", f"{V2}/recurringruns", KubeflowPipelines.create_recurring),
    ("GET", f"{V2}/recurringruns", lambda it, query, **_: it.page("recurringRuns", query)),
    ("DELETE", f"{V2}/recurringruns/([^/:]+)", lambda it, key, **_: it.drop_recurring(key)),
    ("POST", f"{V2}/recurringruns/([^/:]+):(enable|disable)", KubeflowPipelines.switch_recurring),
)
