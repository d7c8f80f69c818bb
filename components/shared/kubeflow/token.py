"""Bearer tokens for the Kubeflow Pipelines API: from a file, or by a TokenRequest to Kubernetes.

A host for several users takes only tokens that were made for it. The one that is mounted for an
account is made for Kubernetes, but authenticates the request for the other, if the account has
that right; where it has not, the host is for one user and needs no authentication.
"""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from kfp.client.set_volume_credentials import ServiceAccountTokenVolumeCredentials
from kfp.client.token_credentials_base import TokenCredentialsBase
from kubernetes import client
from urllib3.exceptions import HTTPError

from components.shared.contracts.errors import OutageError, UserError

ACCOUNT = "car-trigger"
MOUNTED = Path("/var/run/secrets") / ACCOUNT  # token, ca.crt and namespace
AUDIENCE = "pipelines.kubeflow.org"
VALID = timedelta(hours=1)
SPARE = timedelta(minutes=5)  # a token is replaced so long before it expires
SECONDS = 30  # timeout of a request to Kubernetes


def credentials() -> TokenCredentialsBase | None:
    """Return credentials that send a bearer token with each request, or None if there is none.

    The file that KFP_TOKEN names comes first, then the token mounted for `car-trigger`, then
    the file that KF_PIPELINES_SA_TOKEN_PATH names. Each is read for every request, because it
    may be replaced.

    Raises:
        UserError: If KFP_TOKEN names no file.
    """
    named = os.environ.get("KFP_TOKEN", "")
    if named and not Path(named).is_file():  # it is not shown: it may be the token itself
        raise UserError("KFP_TOKEN names no file, expected the path of a file with the token")
    if not named and (MOUNTED / "token").is_file():
        return AccountToken(MOUNTED)
    file = named or os.environ.get("KF_PIPELINES_SA_TOKEN_PATH", "")
    return ServiceAccountTokenVolumeCredentials(file) if file else None


class AccountToken(TokenCredentialsBase):  # type: ignore[misc]  # the SDK has no types
    """Token of a service account for Kubeflow Pipelines, if Kubernetes issues one.

    Args:
        folder: Folder of the account's own token.
        api: URL of Kubernetes; empty takes that of the pod, and outside there is none.
    """

    def __init__(self, folder: Path, api: str = "") -> None:
        host, port = os.environ.get("KUBERNETES_SERVICE_HOST"), "KUBERNETES_SERVICE_PORT_HTTPS"
        self._folder = folder
        self._api = api or (f"https://{host}:{os.environ.get(port, '443')}" if host else "")
        self._token, self._until = "", datetime.min.replace(tzinfo=UTC)

    def refresh_api_key_hook(self, config: Any) -> None:
        """Set a valid token in the SDK's configuration; the SDK calls this before each request."""
        now = datetime.now(UTC)
        if now >= self._until:
            own = (self._folder / "token").read_text().strip()
            made, until = self._made(own)
            self._token, self._until = made or own, (until or now + VALID) - SPARE
        config.api_key["authorization"] = self._token

    def _made(self, own: str) -> tuple[str, datetime | None]:
        if not self._api:
            return "", None
        settings = client.Configuration(host=self._api)
        settings.ssl_ca_cert = str(self._folder / "ca.crt")
        settings.api_key = {"authorization": f"Bearer {own}"}
        spec = {"audiences": [AUDIENCE], "expirationSeconds": int(VALID.total_seconds())}
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
        try:
            with client.ApiClient(settings) as api:
                made = client.CoreV1Api(api).create_namespaced_service_account_token(
                    ACCOUNT,
                    (self._folder / "namespace").read_text().strip(),
                    body,
                    _request_timeout=SECONDS,
                )
        except client.ApiException as error:
            if error.status == 403:
                return "", None
            raise OutageError(f"Kubernetes gives {ACCOUNT} no token: {error.reason}") from error
        except HTTPError as error:
            raise OutageError(f"Kubernetes gives {ACCOUNT} no token: {str(error)[:200]}") from error
        return str(made.status.token), made.status.expiration_timestamp
