"""The rights of every account, and who may read what is KServe's own."""

from tests.proofs import kserve_rights, rights
from tests.proofs.manifests.place import KSERVE, SPACE, apply, at_kserve, bound, kubectl, moved
from tests.support.manifest_objects import MANIFESTS, render


def rights_given() -> bool:
    """Give the accounts the rights that production gives them, and ask for each."""
    for found in render(MANIFESTS / "overlays/production"):
        if found["kind"] in ("Role", "RoleBinding", "ServiceAccount"):
            assert apply(bound(moved(found))).returncode == 0
    return rights.ask(SPACE)


def kserve_rights_given(rendered: dict[str, list]) -> bool:
    """Apply what is applied by itself for KServe, and ask who may read what it lets them read."""
    kubectl("create", "namespace", KSERVE)
    for found in [*rendered["kserve-reader"], *rendered["kserve-storage"]]:
        said = apply(at_kserve(found))
        assert said.returncode == 0 or "no matches for kind" in said.stderr, said.stderr
    return kserve_rights.ask(SPACE, KSERVE)
