"""Lint rules for compiled pipelines: images, resources, timeouts, caching, secrets, exit."""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from components.images import image
from components.shared.contracts.quantity import amount
from pipelines.policy.access import (
    expected,
    expected_config_maps,
    given,
    given_config_maps,
)
from pipelines.policy.artifacts import taken_twice
from pipelines.policy.compiled import Compiled
from pipelines.policy.secrets import form_of_secret, looks_random, names_a_secret, quoted_in

IMAGES = Path(__file__).parents[2] / "images"
REFERENCE = re.compile(r"(?P<name>[^@\s]+?)(?::(?P<tag>[^:/@\s]+))?(?:@(?P<digest>\S+))?")
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
AMOUNTS = {
    "resourceCpuRequest": "request of CPU",
    "resourceCpuLimit": "limit of CPU",
    "resourceMemoryRequest": "request of memory",
    "resourceMemoryLimit": "limit of memory",
}
# A command ends with its line, unless that is continued, or at a shell's separator.
INSTALLS = re.compile(
    r"\b(?:pip[\d.]*|uv|conda|mamba|apt|apt-get|apk|npm)\b"
    r"(?:[^;&|\n]|[;&|](?![\s;&|])|[\\,(\[][ \t]*\n)*?\b(?:install|add|download|sync)\b"
    r"|\b(?:ensurepip|easy_install|curl|wget)\b"
)
ENTRY = "python3 -m components.task kfp.dsl.executor_main"
LAST = "ALL_UPSTREAM_TASKS_COMPLETED"


class Broken(NamedTuple):
    """One violation of a rule: where, and a sentence about it."""

    where: str
    sentence: str


Rule = Callable[[Compiled], Iterator[Broken]]


def image_is_ours(pipeline: Compiled) -> Iterator[Broken]:
    """Every task runs an image of `images/`, from the registry of this build."""
    names = sorted(_name(image(lock.parent.name)) for lock in IMAGES.glob("*/requirements.txt"))
    for task in pipeline.tasks:
        found = task.container.get("image", "")
        if _name(found) not in names:
            yield Broken(task.path, f"image {found or 'none'}, expected one of {', '.join(names)}")


def image_has_tag(pipeline: Compiled) -> Iterator[Broken]:
    """Every image has a tag, and not `latest`."""
    for task in pipeline.tasks:
        parts = REFERENCE.fullmatch(task.container.get("image", ""))
        if parts and not parts["digest"] and parts["tag"] in (None, "latest"):
            yield Broken(task.path, f"image {parts[0]}, expected a tag other than latest")


def image_has_digest(pipeline: Compiled) -> Iterator[Broken]:
    """Every image of a release has a digest."""
    for task in pipeline.tasks:
        parts = REFERENCE.fullmatch(task.container.get("image", ""))
        if parts and not DIGEST.fullmatch(parts["digest"] or ""):
            yield Broken(task.path, f"image {parts[0]}, expected <name>@sha256:<64 digits>")


def has_resources(pipeline: Compiled) -> Iterator[Broken]:
    """Every task requests CPU and memory, and has limits for both that are not lower."""
    for task in pipeline.tasks:
        resources = task.container.get("resources", {})
        for field, what in AMOUNTS.items():
            if not amount(resources.get(field, "")):
                found = resources.get(field, "none")
                yield Broken(task.path, f"{what} is {found}, expected {field} above 0")
        for what in ("Cpu", "Memory"):
            least, most = (
                resources.get(f"resource{what}{end}", "") for end in ("Request", "Limit")
            )
            if 0 < amount(most) < amount(least):
                limit = f"resource{what}Limit"
                yield Broken(
                    task.path, f"{limit} is {most}, expected its request, {least}, or more"
                )


def is_not_root(pipeline: Compiled) -> Iterator[Broken]:
    """No task may run as root."""
    for task in pipeline.tasks:
        context = task.placed.get("securityContext", {})
        if context.get("runAsNonRoot") is not True:
            yield Broken(task.path, "may run as root, expected runAsNonRoot in its securityContext")
        if int(context.get("runAsUser", 1000)) == 0:
            yield Broken(task.path, "runs as user 0, expected another or none")


def is_tried_again(pipeline: Compiled) -> Iterator[Broken]:
    """Every task has retries, because every task reaches the network, if only for its artifacts."""
    for task in pipeline.tasks:
        count = task.described.get("retryPolicy", {}).get("maxRetryCount", 0)
        if int(count) < 1:
            yield Broken(task.path, f"is tried again {count} times, expected maxRetryCount above 0")


def waits_for_outages(pipeline: Compiled) -> Iterator[Broken]:
    """Every task runs inside `components.task`, which retries outages where Kubeflow does not."""
    for task in pipeline.tasks:
        if not any(ENTRY in word for word in task.container.get("command", ())):
            yield Broken(task.path, f"ends at the first outage, expected {ENTRY!r} in its command")


def has_timeout(pipeline: Compiled) -> Iterator[Broken]:
    """Every task has a timeout."""
    for task in pipeline.tasks:
        seconds = task.placed.get("activeDeadlineSeconds", 0)
        if not str(seconds).isdecimal() or int(seconds) < 1:
            yield Broken(task.path, "may hang, expected activeDeadlineSeconds above 0")


def is_never_cached(pipeline: Compiled) -> Iterator[Broken]:
    """No task uses Kubeflow's cache: a task that deploys or records must run each time.

    The caching option of a whole run does not reach into groups, so each task disables it.
    """
    for task in pipeline.tasks:
        if task.described.get("cachingOptions") is None:
            yield Broken(task.path, "leaves caching open, expected cachingOptions that turn it off")
        elif task.described["cachingOptions"].get("enableCache"):
            yield Broken(task.path, "may come from the cache, expected enableCache off")


def installs_nothing(pipeline: Compiled) -> Iterator[Broken]:
    """No task installs a package at run time: its image holds all it needs."""
    for task in pipeline.tasks:
        words = [*task.container.get("command", ()), *task.container.get("args", ())]
        if found := INSTALLS.search(" ".join(words)):
            yield Broken(task.path, f"says {found[0]!r}, expected all packages in its image")


def reads_only_its_own(pipeline: Compiled) -> Iterator[Broken]:
    """A task has the secrets, claims and config maps of the access table, and no other."""
    for task in pipeline.tasks:
        found, wanted = set(given(task)), expected(task)
        if found != wanted:
            yield Broken(task.path, f"reads {_list(found)}, expected {_list(wanted)}")
        found, wanted = given_config_maps(task), expected_config_maps(task)
        if found != wanted:
            named = f"expected {', '.join(sorted(wanted))}"
            yield Broken(task.path, f"has the config maps {', '.join(sorted(found))}, {named}")


def takes_an_artifact_once(pipeline: Compiled) -> Iterator[Broken]:
    """No task takes one artifact by two inputs: Kubeflow's metadata store refuses that."""
    for path, artifact, names in taken_twice(pipeline):
        inputs = " and ".join(names)
        yield Broken(path, f"takes {artifact} by {inputs}, expected each artifact by one input")


def holds_no_secret(pipeline: Compiled) -> Iterator[Broken]:
    """A compiled pipeline, which is stored and shown, has secrets by name only.

    The message of a violation does not repeat the secret.
    """
    for path, text in _strings({**pipeline.spec, **pipeline.platform}):
        where = ".".join(path)
        if what := form_of_secret(text):
            yield Broken(where, f"holds {what}, expected a reference to a secret")
        elif any(looks_random(word) for word in _values(path, text)):
            yield Broken(where, "holds what looks drawn at random, expected no secret in the open")
    for name in _named(pipeline):
        if names_a_secret(name):
            yield Broken(name, "takes a secret as a value, expected a reference to a secret")


def has_exit(pipeline: Compiled) -> Iterator[Broken]:
    """Every pipeline has one exit handler, which records the outcome of a run."""
    last = [
        task
        for task in pipeline.root.values()
        if task.get("triggerPolicy", {}).get("strategy") == LAST
        and "dag" not in pipeline.component(task)
        and set(task.get("dependentTasks", ())) == _others(pipeline.root, task)
    ]
    if len(last) != 1:
        yield Broken(
            "", f"has {len(last)} tasks that run after all others, however they end, expected 1"
        )


def has_described_parameters(pipeline: Compiled) -> Iterator[Broken]:
    """Every parameter of a pipeline has a default and a description."""
    inputs = pipeline.spec["root"].get("inputDefinitions", {})
    for name, parameter in inputs.get("parameters", {}).items():
        if "defaultValue" not in parameter:
            yield Broken(f"parameter {name}", "has no default, expected one")
        if not parameter.get("description", "").strip():
            yield Broken(f"parameter {name}", "has no description, expected one")


def _strings(value: object, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict | list):
        for key, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _strings(part, (*path, str(key)))


def _values(path: tuple[str, ...], text: str) -> Iterator[str]:
    """Yield values that people chose: defaults, constants, environment, literals of a program."""
    if "defaultValue" in path or path[-1] in ("constant", "value"):
        yield text
    elif {"command", "args"} & set(path):
        yield from quoted_in(text)


def _named(pipeline: Compiled) -> Iterator[str]:
    """Yield the names of values: parameters, and environment variables with a value."""
    for taken in (pipeline.spec["root"], *pipeline.spec.get("components", {}).values()):
        yield from taken.get("inputDefinitions", {}).get("parameters", {})
    for task in pipeline.tasks:
        yield from (entry["name"] for entry in task.container.get("env", ()))


def _name(reference: str) -> str:
    parts = REFERENCE.fullmatch(reference)
    return parts["name"] if parts else reference


def _others(tasks: Mapping[str, object], this: object) -> set[str]:
    return {key for key, task in tasks.items() if task is not this}


def _list(names: set[str]) -> str:
    return ", ".join(sorted(names)) or "no secret"
