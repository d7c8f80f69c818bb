"""The manifests against the published schemas, a real API server and a real node.

`make prove-cluster` runs it with KUBECONFIG set and prints what it saw: each overlay through
the offline validator, each object accepted, mutations refused, the rights of every account,
who may read KServe's configuration and storage containers, tokens, and the pods of ingestion
and migration as they start. It leaves nothing behind.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.proofs.manifests.accepting import accepted, refused
from tests.proofs.manifests.asking import kserve_rights_given, rights_given
from tests.proofs.manifests.place import SPACE, clean, kubectl
from tests.proofs.manifests.starting import started
from tests.proofs.manifests.tokens import tokens
from tests.proofs.manifests.validating import VALIDATOR, validated
from tests.proofs.needs import need_cluster, need_file, need_program
from tests.support.manifest_objects import COMPONENTS, MANIFESTS, OVERLAYS, combine, render


def main() -> int:
    """Run every part; 0 only if all of them saw what they should."""
    need_cluster()
    need_program("kubectl", "1.24 or later")
    need_file(VALIDATOR, "the offline validator of manifests")
    with TemporaryDirectory() as name:
        folder = Path(name)
        rendered = rendered_objects(folder)
        parts = [validated(folder, rendered)]
        try:
            kubectl("create", "namespace", SPACE)
            parts.append(accepted(rendered))
            parts.append(refused(folder, rendered["everything"]))
            parts.append(rights_given())
            parts.append(kserve_rights_given(rendered))
            parts.append(tokens(folder))
            parts.append(started(rendered["production"]))
        finally:
            clean(rendered)
    print("all as it should be" if all(parts) else "NOT as it should be")
    return 0 if all(parts) else 1


def rendered_objects(folder: Path) -> dict[str, list]:
    found = {name: render(MANIFESTS / "overlays" / name) for name in OVERLAYS}
    found["kserve-reader"] = render(MANIFESTS / "kserve-reader")
    found["kserve-storage"] = render(MANIFESTS / "kserve-storage")
    found["everything"] = render(combine(folder, tuple(COMPONENTS)))
    return found


if __name__ == "__main__":
    sys.exit(main())
