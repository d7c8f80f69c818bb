"""Choose the rollout target from environment variables."""

from collections.abc import Mapping

from components.promotion.deploy_model.server import ServerTarget
from components.promotion.deploy_model.target import Target
from components.shared.contracts.errors import UserError
from components.shared.contracts.policy import RolloutPolicy
from components.shared.inference.package_store import PackageStore

# Addresses of the reverse proxy, and of the admin ports of the two servers behind it.
ADDRESSES = ("DETECTOR_URL", "DETECTOR_STABLE_URL", "DETECTOR_CANDIDATE_URL")


def target_from(environment: Mapping[str, str], policy: RolloutPolicy) -> Target:
    """Return the target that DETECTOR_TARGET names: `server`, `kserve` or `triton`.

    Args:
        environment: Environment variables.
        policy: Gives the timeouts.

    Raises:
        UserError: If the name is unknown.
    """
    name = environment.get("DETECTOR_TARGET") or "server"
    if name == "server":
        package_store = PackageStore(environment["MODEL_ROOT"])
        url, stable, candidate = (environment[variable] for variable in ADDRESSES)
        return ServerTarget(url, stable, candidate, package_store, policy.max_ready_s)
    if name in ("kserve", "triton"):
        from components.promotion.deploy_model.kserve.environment import kserve_target

        return kserve_target(environment, policy)
    raise UserError(f"DETECTOR_TARGET is {name!r}, expected 'server', 'kserve' or 'triton'")
