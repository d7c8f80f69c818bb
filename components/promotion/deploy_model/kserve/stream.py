"""Kafka access of the serving pods: environment variables and volumes for the prediction log."""

from typing import Any, Literal

from pydantic import Field

from components.shared.contracts.record import Record

AUTHORITY = "/etc/stream/ca.crt"


class StreamAccess(Record):
    """Access to Kafka; secrets are given by name."""

    protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    mechanism: str = "SCRAM-SHA-512"
    username: str = ""
    password_secret: str = Field(default="", description="with the key password")
    authority_secret: str = Field(default="", description="with ca.crt, if the brokers' own")


def variables(access: StreamAccess) -> list[Any]:
    """Return the environment (`V1EnvVar`) that `store.stream` reads.

    The address of the brokers is in the config map `car-stream`; without it nothing is logged.
    """
    from kubernetes import client

    servers = client.V1ConfigMapKeySelector(
        name="car-stream", key="bootstrap_servers", optional=True
    )
    found = [_taken("KAFKA_BOOTSTRAP_SERVERS", config_map_key_ref=servers)]
    values: dict[str, str] = {"KAFKA_SECURITY_PROTOCOL": access.protocol}
    if access.authority_secret:
        values["KAFKA_SSL_CA_FILE"] = AUTHORITY
    if access.protocol.startswith("SASL_"):
        values |= {"KAFKA_SASL_MECHANISM": access.mechanism, "KAFKA_SASL_USERNAME": access.username}
        password = client.V1SecretKeySelector(name=access.password_secret, key="password")
        found.append(_taken("KAFKA_SASL_PASSWORD", secret_key_ref=password))
    return [*found, *(client.V1EnvVar(name=name, value=value) for name, value in values.items())]


def volumes(access: StreamAccess) -> list[tuple[Any, Any]]:
    """Return the volumes (`V1Volume`), each with its mount (`V1VolumeMount`)."""
    from kubernetes import client

    if not access.authority_secret:
        return []
    item = client.V1KeyToPath(key="ca.crt", path="ca.crt")
    secret = client.V1SecretVolumeSource(secret_name=access.authority_secret, items=[item])
    folder = AUTHORITY.rpartition("/")[0]
    return [
        (
            client.V1Volume(name="stream-ca", secret=secret),
            client.V1VolumeMount(name="stream-ca", mount_path=folder, read_only=True),
        )
    ]


def _taken(name: str, **source: Any) -> Any:
    from kubernetes import client

    return client.V1EnvVar(name=name, value_from=client.V1EnvVarSource(**source))
