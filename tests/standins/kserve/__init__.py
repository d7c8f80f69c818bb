"""A stand-in for KServe's controller in Standard mode, which serves with real servers."""

from tests.standins.kserve.controller import KServe
from tests.standins.kserve.dns import ClusterDns
from tests.standins.kserve.pods import PORT

__all__ = ["PORT", "ClusterDns", "KServe"]
