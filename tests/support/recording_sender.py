"""A frame sender that keeps what it is given."""


class Recorder:
    """Keeps frames and refusals in lists; texts must be as a message can hold them."""

    def __init__(self, dataset="mine"):
        self.dataset, self.frames, self.refusals = dataset, [], []

    def declare(self, classes, time):
        self.classes = classes

    def send(self, frame):
        frame.source_name.encode()
        self.frames.append(frame)

    def refuse(self, *refusal):
        "".join(refusal[:3]).encode()
        self.refusals.append(refusal)
