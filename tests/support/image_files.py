"""The Dockerfiles of the images, and which image each job and service runs in."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = sorted(file.parent for file in ROOT.glob("images/*/Dockerfile"))
LINES = {
    folder.name: re.sub(r"\\\n\s*", "", (folder / "Dockerfile").read_text()).splitlines()
    for folder in FOLDERS
}
# A component names its image itself; a service or a command runs where a manifest puts it.
SERVICES = {
    "ingest_events": "data",
    "store/migrate.py": "data",
    "serve_detector": "serving",
    "route_requests": "serving",
    "gateway": "gateway",
}


def jobs() -> dict[str, str]:
    """Return the image of every job and service."""
    wrappers = {}
    for file in ROOT.glob("components/**/component.py"):
        (wrappers[file.parent.name],) = re.findall(r'image\("(\w+)"\)', file.read_text())
    return wrappers | SERVICES
