"""Upload a pipeline version: one git revision of the pipeline with the images that it names.

It is called `<revision>-<package>`: twelve digits of the commit and eight of the package's
SHA-256, for the same commit names other images once IMAGE_TAG is another. The same version
is uploaded once.
"""

import hashlib
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import yaml
from kfp import Client
from kfp.dsl.base_component import BaseComponent
from kfp_server_api import V2beta1Pipeline

from components.shared.contracts.errors import UserError
from components.shared.kubeflow.client import HostError, host_errors, url_of
from components.shared.kubeflow.runs import PipelineVersion, find_pipeline, find_version
from pipelines.form import description_of
from pipelines.graphs import write_package
from pipelines.parameters import graph_of
from pipelines.policy.compiled import Compiled
from pipelines.policy.lint import findings

ROOT = Path(__file__).parents[2]
CONFLICT = 409


class Uploaded(NamedTuple):
    """A version on a host, and whether it was there before."""

    version: PipelineVersion
    was_there: bool


def upload(
    client: Client, name: str, *, allow_dirty: bool = False, allow_tags: bool = False,
    root: Path = ROOT,
) -> Uploaded:  # fmt: skip
    """Upload the version of a pipeline that the working tree makes.

    Args:
        client: Client of the host.
        name: Command-line name of the pipeline.
        allow_dirty: Whether uncommitted changes may be uploaded; the version is then called
            `<revision>-dirty-<package>`.
        allow_tags: Whether images may be named by a tag, under which others can be pushed.
        root: A folder in the git checkout.

    Raises:
        UserError: If the tree is dirty or no checkout, or policy or host do not take it.
    """
    graph = graph_of(name)
    revision = _revision(root, allow_dirty=allow_dirty)
    with TemporaryDirectory() as folder:
        package = write_package(name, Path(folder))
        _refuse_what_breaks_the_policy(package, allow_tags=allow_tags)
        label, digest = _label(revision, package)
        pipeline_id = find_pipeline(client, graph.name) or _made(client, graph)
        if known := _known(client, graph.name, label):
            return Uploaded(known, was_there=True)
        try:
            with host_errors(url_of(client)):
                made = client.upload_pipeline_version(
                    str(package),
                    label,
                    pipeline_id=pipeline_id,
                    description=f"{description_of(graph)} Package sha256 {digest}",
                )
        except HostError as error:
            if error.status != CONFLICT:  # CONFLICT: another process uploaded it first
                raise
            return Uploaded(find_version(client, graph.name, label), was_there=True)
    version = PipelineVersion(graph.name, pipeline_id, label, str(made.pipeline_version_id))
    return Uploaded(version, was_there=False)


def choose(client: Client, name: str, version: str = "", *, root: Path = ROOT) -> PipelineVersion:
    """Return the version of a pipeline to run, and print it on stderr.

    Args:
        client: Client of the host.
        name: Command-line name of the pipeline.
        version: Name of the version; empty takes the one that the working tree makes if it
            is uploaded, and else the newest.
        root: A folder in the git checkout.

    Raises:
        UserError: If the host has no such pipeline, or no such version of it.
    """
    graph = graph_of(name)
    if version:
        return find_version(client, graph.name, version)
    here = _label_here(name, root)
    mine = _known(client, graph.name, here) if here else None
    found = mine or find_version(client, graph.name)
    why = "this checkout's" if mine else f"the newest: {here or 'no checkout'} is not uploaded"
    print(f"{graph.name} {found.name}, {why}", file=sys.stderr)
    return found


def _label_here(name: str, root: Path) -> str:
    """Return the name of this working tree's version, or nothing if this is no checkout."""
    try:
        revision = _revision(root, allow_dirty=True)
    except UserError:
        return ""
    with TemporaryDirectory() as folder:
        return _label(revision, write_package(name, Path(folder)))[0]


def _label(revision: str, package: Path) -> tuple[str, str]:
    """Return the name of a version, and the digest of its package."""
    digest = hashlib.sha256(package.read_bytes()).hexdigest()
    return f"{revision}-{digest[:8]}", digest


def _refuse_what_breaks_the_policy(package: Path, *, allow_tags: bool) -> None:
    documents = list(
        yaml.load_all(package.read_text(), yaml.CSafeLoader)
    )  # the fastest loader by far
    found = findings(Compiled.of(package.stem, documents), release=not allow_tags)
    if not found:
        return
    sentence = f"{package.stem} breaks the policy in {len(found)} places, first: {found[0].rule}: "
    sentence += f"{found[0].where} {found[0].sentence}"
    pushed = "; `make push` notes digests, --allow-tags does without"
    raise UserError(sentence + (pushed if any(one.rule == "digest" for one in found) else ""))


def _known(client: Client, pipeline: str, label: str) -> PipelineVersion | None:
    try:
        return find_version(client, pipeline, label)
    except UserError:
        return None


def _made(client: Client, graph: BaseComponent) -> str:
    """Create a pipeline without a version: the SDK's own upload names the first one otherwise."""
    body = V2beta1Pipeline(
        display_name=graph.name,
        description=description_of(graph),
        namespace=client.get_user_namespace() or None,
    )
    with host_errors(url_of(client)):
        made = client._pipelines_api.pipeline_service_create_pipeline(pipeline=body)
    return str(made.pipeline_id)


def _revision(root: Path, *, allow_dirty: bool) -> str:
    revision = _git(root, "rev-parse", "HEAD")[:12]
    changed = _git(root, "status", "--porcelain").splitlines()
    if changed and not allow_dirty:
        named = ", ".join(line[3:] for line in changed[:3]) + (", ..." if changed[3:] else "")
        raise UserError(
            f"the working tree differs from revision {revision} in {len(changed)} files ({named}), "
            "expected them to be committed, or --allow-dirty"
        )
    return f"{revision}-dirty" if changed else revision


def _git(root: Path, *words: str) -> str:
    try:
        done = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as cause:
        raise UserError(f"{root} has no git revision, expected a checkout with a commit") from cause
    return done.stdout.strip("\n")
