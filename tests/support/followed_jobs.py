"""A cluster that shows one job of a training, look by look."""

from tests.support.training_pods import (
    conditions,
)

DONE = conditions("Running", "Succeeded")
GONE = None


class Story:
    """A cluster that shows one job, look by look; the last look stays."""

    def __init__(self, *looks, log=()):
        self.looks, self.lines = list(looks), log
        self.created, self.deleted = [], []

    def get(self, kind, name):
        look = self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]
        if isinstance(look, Exception):
            raise look
        if callable(look):
            look = look()
        job, *self.there = look if isinstance(look, tuple) else (look,)
        return job

    def objects(self, kind, selector=""):
        return []

    def create(self, kind, body):
        self.created.append(body["metadata"]["name"])
        return {"metadata": {"uid": "1"}}

    def delete(self, kind, name, last):
        self.deleted.append(name)

    def pods(self, selector):
        return self.there

    def log(self, pod, container, since):
        yield from self.lines

    def tail_log(self, pod, container, lines):
        return "its last words"
