"""KFP SDK client with authentication, a timeout for each request, and errors in one sentence.

A host is a URL such as `https://kubeflow.example.com/pipeline`. Where there is no token, the
cookie of the SDK's own configuration authenticates, if there is one.
"""

import json
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

from kfp.client import Client
from kfp_server_api import ApiException
from urllib3.exceptions import HTTPError

from components.shared.contracts.errors import OutageError, UserError
from components.shared.kubeflow.token import credentials

SECONDS = 40  # timeout of one request
TRIES = 4  # of a GET: urllib3 repeats it three times
DENIED = (401, 403)


class HostError(OutageError):
    """The host does not answer, or does not do what it is asked.

    Attributes:
        status: HTTP status of the answer; 0 if there was none.
    """

    def __init__(self, sentence: str, status: int = 0) -> None:
        super().__init__(sentence)
        self.status = status


class HostClient(Client):  # type: ignore[misc]  # the SDK has no types
    """KFP SDK client that fails at once where the SDK would retry, and writes no files."""

    def get_kfp_healthz(self, sleep_duration: int = 0) -> Any:
        """Check the host's health once: no retries for half a minute if access is denied."""
        _guard(self._healthz_api.api_client)
        return self._healthz_api.healthz_service_get_healthz()

    def set_user_namespace(self, namespace: str) -> None:
        """Set the namespace in memory only; a container has no home folder to write to."""
        self._context_setting["namespace"] = namespace


def connect(host: str, *, namespace: str = "", ca: str = "") -> HostClient:
    """Return a client of a host.

    Args:
        host: URL of Kubeflow Pipelines; empty takes KFP_HOST.
        namespace: Namespace of pipelines and runs in a multi-user installation; empty takes
            KFP_NAMESPACE, and else the pod's own, or none.
        ca: File of the certificates to trust; empty takes KFP_CA, and else the public ones.

    Raises:
        UserError: If there is no host, or a file is missing.
        HostError: If the host does not answer.
    """
    url = host or os.environ.get("KFP_HOST", "")
    if not url.startswith(("http://", "https://")):
        raise UserError(f"the host is {url!r}, expected the URL of Kubeflow Pipelines (KFP_HOST)")
    trusted = ca or os.environ.get("KFP_CA", "")
    if trusted and not Path(trusted).is_file():
        raise UserError(f"the file of trusted certificates {trusted} does not exist")
    options: dict[str, Any] = {"ssl_ca_cert": trusted or None, "credentials": credentials()}
    if mine := namespace or os.environ.get("KFP_NAMESPACE", ""):
        options["namespace"] = mine
    with host_errors(url), warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # the SDK warns about old servers
        client = HostClient(host=url, **options)
    _guard(client._healthz_api.api_client)  # which all services share
    return client


@contextmanager
def host_errors(host: str) -> Iterator[None]:
    """Turn errors of requests into HostError, and send the links that the SDK prints to stderr.

    Args:
        host: URL of the host, for the message.

    Raises:
        HostError: If a request fails.
    """
    try:
        with redirect_stdout(sys.stderr):
            yield
    except ApiException as cause:
        raise HostError(
            f"{host} answers {cause.status}: {_error_text(cause)}", cause.status
        ) from cause
    except HTTPError as cause:
        raise HostError(f"{host} does not answer: {str(cause)[:300]}") from cause


def url_of(client: Client) -> str:
    """Return the URL of a client's host."""
    return str(client._existing_config.host)


def get(client: Client, path: str, accept: str = "application/json") -> Any:
    """Return the response of a host at a path for which the SDK has no method.

    Args:
        client: Client of the host.
        path: Such as `/apis/v1beta1/runs/<id>`.
        accept: Media type of the response.

    Raises:
        HostError: If the host does not answer, or refuses.
    """
    with host_errors(url_of(client)):
        return client._run_api.api_client.call_api(
            path,
            "GET",
            header_params={"Accept": accept},
            response_type="object",
            auth_settings=["Bearer"],
            _return_http_data_only=True,
        )


def _guard(api: Any) -> None:
    """Set a timeout for every request, and raise if an HTML page comes instead of JSON."""
    if "request" in vars(api):
        return
    request = api.request

    def guarded(method: str, *args: Any, **options: Any) -> Any:
        limit = SECONDS / TRIES if method == "GET" else SECONDS
        options["_request_timeout"] = options.get("_request_timeout") or (limit, limit)
        answer = request(method, *args, **options)
        if "html" in (answer.getheader("content-type") or ""):
            page = f"{api.configuration.host} answers with a page for people, expected JSON"
            raise HostError(f"{page}: is the URL right, and is KFP_TOKEN set?", answer.status)
        return answer

    api.request = guarded


def _error_text(cause: ApiException) -> str:
    """Return the error message of a host, in one line."""
    try:
        error = json.loads(cause.body)
        text = error.get("message") or error.get("error_message") or error.get("error")
    except (TypeError, ValueError, AttributeError):
        text = cause.body
    line = " ".join(str(text or cause.reason).split())[:300]
    return line + (" (is KFP_TOKEN set, and allowed to?)" if cause.status in DENIED else "")
