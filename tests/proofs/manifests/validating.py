"""Every overlay through the offline validator."""

import subprocess
import venv
from pathlib import Path

import yaml

from tests.support.manifest_objects import DEFINITIONS, FOREIGN, ROOT
from tests.support.manifest_schemas import definitions, told

VALIDATOR = ROOT.parent / "shared" / "cluster" / "crdvalidate"


def validated(folder: Path, rendered: dict[str, list]) -> bool:
    """Ask the offline validator about each overlay, and all components together."""
    wrong = []
    for name, objects in rendered.items():
        lines = validate(folder, objects)
        strange = [line for line in lines if "no schema for this" in line]
        wrong += [line for line in lines if line not in strange]
        wrong += [line for line in strange if not any(f" {kind}/" in line for kind in FOREIGN)]
        own = [found for found in objects if found["kind"] in FOREIGN]
        wrong += [line for found in own for line in told(definitions(DEFINITIONS), found)]
        print(f"validator: {name}: {len(objects)} objects, {len(lines) - len(strange)} findings")
    print(f"validator: held to our own definitions: {', '.join(sorted(FOREIGN))}")
    print("".join(f"{line}\n" for line in wrong), end="")
    return not wrong


def validate(folder: Path, objects: list) -> list[str]:
    home = ROOT / "build" / "validator"
    if not (home / "ready").exists():
        venv.create(home, with_pip=True, clear=True)
        packages = ("jsonschema", "pyyaml", "kubernetes-validate")
        pip = [str(home / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *packages], check=True, stderr=subprocess.DEVNULL)
        (home / "ready").touch()
    file = folder / "objects.yaml"
    file.write_text(yaml.safe_dump_all(objects))
    run = subprocess.run([home / "bin" / "python", VALIDATOR, file], capture_output=True, text=True)
    if run.returncode not in (0, 1) or run.stderr:
        raise RuntimeError(f"the validator failed: {run.stderr[-400:]}")
    return run.stdout.splitlines()
