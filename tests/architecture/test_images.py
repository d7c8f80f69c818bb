"""What each image holds is what its jobs reach, and it is built so that it can run anywhere."""

import ast
import re
import sys
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.support.image_files import LINES, SERVICES, jobs

ROOT = Path(__file__).parents[2]
LOCKS = sorted(ROOT.glob("images/*/requirements*.txt"))

DISTRIBUTIONS = packages_distributions()


# A job that runs a service as a process of its own: nothing imports what its image must hold.
STARTED = {"check_model": "serve_detector"}


def place_of(job: str) -> Path:
    """Return the folder of a job, or the file of a command."""
    places = ROOT.glob(f"components/**/{job}")
    (place,) = (it for it in places if it.is_file() or (it / "__init__.py").is_file())
    return place


def run_by(image: str) -> list[str]:
    """Return the jobs that an image runs, and the services that these start."""
    here = {job for job, its in jobs().items() if its == image}
    return sorted(here | {STARTED[job] for job in here & STARTED.keys()})


def held(image: str) -> set[Path]:
    """Return the files and folders of ours that an image's Dockerfile copies."""
    words = [line.split() for line in LINES[image] if line.startswith("COPY components/")]
    return {ROOT / source for line in words for source in line[1:-1]}


@cache
def reached(image: str) -> set[Path]:
    """Return the files that the jobs of an image are made of, or import at any depth."""
    starts = [place_of(job) for job in run_by(image)]
    files = [file for start in starts for file in (*start.glob("*.py"), start) if file.is_file()]
    files.append(ROOT / "components/__main__.py")
    if set(run_by(image)) - SERVICES.keys():  # Kubeflow starts tasks, and no service
        files.append(ROOT / "components/task.py")
    for file in files:
        files += [other for other in imported(file) if other not in files]
    return set(files)


@cache
def imported(file: Path) -> list[Path]:
    names = []
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    paths = [ROOT / name.replace(".", "/") for name in names if name.startswith("components")]
    files = [path.with_name(f"{path.name}.py") for path in paths]
    files += [folder / "__init__.py" for path in paths for folder in (path, *path.parents)]
    return [file for file in files if file.exists()]


def foreign(file: Path) -> set[str]:
    """Return the modules of others that a file imports, at its top or inside a function."""
    modules = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            modules |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules.add(node.module.split(".")[0])
    return modules - sys.stdlib_module_names - {"components"}


def canonical(package: str) -> str:
    return re.sub(r"[-_.]+", "-", package).lower()


def inside(file: Path, places: set[Path]) -> bool:
    return bool({file, *file.parents} & places)


def one(image: str, beginning: str) -> str:
    (line,) = (line for line in LINES[image] if line.startswith(beginning))
    return line.removeprefix(beginning)


def test_every_job_has_an_image_and_every_service_its_place_above():
    services = {file.parent.name for file in ROOT.glob("components/**/service.py")}

    assert set(jobs().values()) == set(LINES)
    assert services == {name for name in SERVICES if "." not in name}


@pytest.mark.parametrize("job", STARTED)
def test_a_job_that_starts_a_service_says_its_name(job):
    files = place_of(job).glob("*.py")

    assert [file for file in files if f'"{STARTED[job]}"' in file.read_text()]


@pytest.mark.parametrize("image", LINES)
def test_an_image_holds_all_that_its_jobs_reach(image):
    assert {file for file in reached(image) if not inside(file, held(image))} == set()


@pytest.mark.parametrize("image", LINES)
def test_an_image_holds_nothing_that_its_jobs_do_not_reach(image):
    files = reached(image)

    assert {place for place in held(image) if not any(inside(f, {place}) for f in files)} == set()


@pytest.mark.parametrize("image", LINES)
def test_the_lock_of_an_image_has_every_package_that_its_files_import(image):
    lock = (ROOT / "images" / image / "requirements.txt").read_text()
    locked = set(re.findall(r"^([a-z0-9-]+)==", lock, re.MULTILINE))
    missing = {
        name
        for name in set().union(*map(foreign, reached(image)))
        if not locked & {canonical(package) for package in DISTRIBUTIONS[name]}
    }

    assert missing == set()


@pytest.mark.parametrize("image", LINES)
def test_a_build_imports_every_job_of_its_image(image):
    checked = one(image, "RUN --mount=type=tmpfs,target=/tmp").split("python /check.py ")[1].split()

    assert checked == run_by(image)


@pytest.mark.parametrize("image", LINES)
def test_an_image_installs_from_its_locked_file_and_in_no_other_way(image):
    runs = [line for line in LINES[image] if line.startswith("RUN")]
    (install,) = (line for line in runs if "check.py" not in line)

    assert f"source=images/{image}" in install
    assert "sh /install.sh /" in install
    assert not re.search(r"\b(pip install|apt|curl|wget)\b", install)


def test_what_is_installed_must_have_its_locked_digest():
    script = (ROOT / "images/install.sh").read_text()

    assert script.count("pip install") == 1
    assert "--require-hashes" in script


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: str(lock.relative_to(ROOT)))
def test_every_line_of_a_lock_has_a_version_and_a_digest(lock):
    for line in lock.read_text().replace("\\\n", "").splitlines():
        assert re.match(r"[\w.-]+==\S+ .*--hash=sha256:", line), line


@pytest.mark.parametrize("image", LINES)
def test_what_an_image_starts_from_is_an_argument(image):
    sources = [line for line in LINES[image] if line.startswith("FROM")]

    assert sources in (["FROM ${BASE}"], ["FROM ${BASE} AS packages", "FROM packages"])
    assert one(image, "ARG BASE=")


@pytest.mark.parametrize("image", LINES)
def test_an_image_is_nobody_in_particular(image):
    assert one(image, "USER ") == "1000"


@pytest.mark.parametrize("image", LINES)
def test_an_image_says_what_it_is_and_what_it_was_made_from(image):
    labels = one(image, "LABEL ")

    assert f'image.title="car-detection/{image}"' in labels
    assert 'image.revision="${REVISION}"' in labels
    assert 'image.version="${VERSION}"' in labels
    assert 'image.licenses="Apache-2.0"' in labels


def test_make_builds_every_image():
    line = re.search(r"^IMAGES := (.*)$", (ROOT / "Makefile").read_text(), re.M)

    assert sorted(line[1].split()) == sorted(LINES)
