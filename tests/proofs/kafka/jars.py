"""Kafka's jars: fetched by Maven once, by the versions in pom.xml, and kept in the user's cache."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

POM = Path(__file__).with_name("pom.xml")
PROFILES = ("broker", "sink")  # of the POM
OLDEST = 17  # Java that Kafka's brokers run on
FETCH_S = 600


class FetchError(RuntimeError):
    """Maven could not fetch the jars."""


def java() -> str | None:
    """Return the program that runs Java, if there is one of 17 or later."""
    home = os.environ.get("JAVA_HOME")
    program = shutil.which(f"{home}/bin/java" if home else "java")
    return program if program and _version(program) >= OLDEST else None


def missing() -> str:
    """Return what is missing to run brokers here, as a phrase; empty if nothing is."""
    wanted = {f"Java {OLDEST} or later": java(), "Maven": shutil.which("mvn")}
    if all(_folder(profile).is_dir() for profile in PROFILES):
        del wanted["Maven"]
    return " and ".join(name for name, found in wanted.items() if found is None)


def jars(profile: str) -> Path:
    """Return the folder of one profile's jars, fetching them if they are not there yet.

    Raises:
        FetchError: If Maven fails.
    """
    folder = _folder(profile)
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        fetched = Path(mkdtemp(dir=folder.parent))
        print(f"fetching the jars of {profile} with Maven", file=sys.stderr, flush=True)
        _fetch(profile, fetched)
        try:
            fetched.rename(folder)
        except OSError:  # another process was quicker
            shutil.rmtree(fetched)
    return folder


@cache
def _version(program: str) -> int:
    done = subprocess.run([program, "-version"], capture_output=True, text=True, check=False)
    found = re.search(r'version "(\d+)', done.stderr)
    return int(found[1]) if found else 0


def _folder(profile: str) -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    version = hashlib.sha256(POM.read_bytes()).hexdigest()[:12]
    return cache / "car-detection" / f"kafka-{version}" / profile


def _fetch(profile: str, folder: Path) -> None:
    command = ["mvn", "-q", "-B", "--strict-checksums", "-f", str(POM), f"-P{profile}"]
    goal = ["dependency:copy-dependencies", f"-DoutputDirectory={folder}"]
    done = subprocess.run(
        [*command, *goal], capture_output=True, text=True, timeout=FETCH_S, check=False
    )
    if done.returncode:
        shutil.rmtree(folder)
        raise FetchError(f"Maven fetched no jars: {(done.stdout + done.stderr).strip()[:300]}")
