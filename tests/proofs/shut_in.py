"""Run an image as a user without rights, in a container that may write to /tmp alone."""

from pathlib import Path

import docker
from docker.types import Mount

from components.images import image
from tests.proofs.containers import (
    SHUT,
    USER,
)
from tests.support.image_files import jobs

ROOT = Path(__file__).parents[2]


SHUT_IN = """
set -eu
exec >&2
[ "$(id -u)" != 0 ] || { echo "is root"; exit 1; }
for tool in cc gcc g++ clang tcc ld as make; do
    if command -v $tool; then echo "has a compiler"; exit 1; fi
done
writable=$(find / \\( -path /proc -o -path /dev -o -path /tmp \\) -prune -o \\
    -writable ! -type l -print 2>/dev/null || true)
[ -z "$writable" ] || { echo "can write $writable"; exit 1; }
python3 /check.py "$@"
for job; do case $job in *.py) ;; *) python3 -m components "$job" --help >/dev/null ;; esac; done
"""


def runs_shut_in(name: str) -> bool:
    """Run one image as somebody, with nothing to write to but /tmp, and look around in it."""
    its = sorted(job for job, where in jobs().items() if where == name)
    check = Mount("/check.py", str(ROOT / "images/check.py"), type="bind", read_only=True)
    try:
        docker.from_env().containers.run(
            image(name), ["-c", SHUT_IN, "sh", *its], entrypoint="sh", mounts=[check],
            remove=True, stderr=True, **SHUT,
        )  # fmt: skip
    except docker.errors.ContainerError as error:
        print(f"{name}: {error.stderr.decode()[-2000:]}")
        return False
    print(f"{name:10} as {USER}, read-only, without capabilities: {', '.join(its)}")
    return True
