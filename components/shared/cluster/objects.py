"""Types of the objects that the Kubernetes client returns; it publishes none, so they are Any."""

from typing import Any, TypeAlias

Pod: TypeAlias = Any  # V1Pod
ContainerStatus: TypeAlias = Any  # V1ContainerStatus
Service: TypeAlias = Any  # V1Service
