"""Packages with a fault in their files, and the word by which each must be refused."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import onnx

from components.shared.contracts.model import PackageInfo, PackageLayout, Postprocessing
from components.shared.contracts.policy import CheckPolicy
from components.shared.contracts.record import write_lines
from components.training.export_onnx.onnx_nms import with_suppression
from tests.support.tiny_packages import golden_answers, jpeg_of, scene, seal, tiny_graph

SIZE = 64
# What is asked beside the golden pictures: the second has blue in it.
PICTURES = (jpeg_of(scene({(2, 2): 0})), jpeg_of(scene({(1, 1): 2, (3, 3): 0})))


class Fault(NamedTuple):
    """One way to be faulty.

    Attributes:
        make: Does it to a whole package.
        word: What the refusal says, a pattern.
        limits: That are other than the policy's.
    """

    make: Callable[[PackageLayout], None]
    word: str
    limits: dict[str, float] = {}  # noqa: RUF012 (nobody writes to it)


def good(folder: Path) -> PackageLayout:
    """A package without a fault: it finds what is bright and red."""
    layout = PackageLayout(folder)
    (layout.root / "golden").mkdir(parents=True)
    layout.model.write_bytes(tiny_graph(1, SIZE, SIZE).SerializeToString())
    layout.triton.write_text('name: "toys"\n')
    write_lines(golden_answers(layout.root, "car", SIZE, SIZE, 0.0), layout.golden)
    seal(layout, "toys", ("car",))
    return layout


def suppressing(layout: PackageLayout) -> None:
    """Let the graph suppress too; there is nothing wrong with that."""
    rule = Postprocessing()
    layout.model.write_bytes(with_suppression(layout.model.read_bytes(), rule))
    sealed(layout)
    info = PackageInfo.read(layout.info)
    info.model_copy(update={"suppression": "inside"}).write(layout.info)


def sealed(layout: PackageLayout, model: onnx.ModelProto | None = None, classes=("car",)) -> None:
    """Make the package whole again, so that nothing is wrong with its digests."""
    if model is not None:
        layout.model.write_bytes(model.SerializeToString())
    seal(layout, "toys", classes)


def _named(layout):
    sealed(layout, classes=("lorry",))


def _stranger(layout):
    lines = layout.golden.read_text().splitlines()
    layout.golden.write_text(lines[0].replace("golden/", "../golden/") + "\n")
    sealed(layout)


def _none_golden(layout):
    layout.golden.write_text("")
    sealed(layout)


def _changed(layout):
    content = bytearray(layout.model.read_bytes())
    content[len(content) // 2] ^= 1
    layout.model.write_bytes(content)


def cut(layout):
    layout.model.write_bytes(layout.model.read_bytes()[:-7])


def _link(layout):
    layout.triton.unlink()
    layout.triton.symlink_to("/etc/hostname")


def _pipe(layout):
    os.mkfifo(layout.root / "pipe")


def _missing(layout):
    layout.golden.unlink()


def _large(layout):
    with (layout.root / "padding").open("wb") as file:
        file.truncate(2_000_000)
    sealed(layout)


def _described(layout):
    info = PackageInfo.read(layout.info)
    info.model_copy(update={"dataset": "others"}).write(layout.info)


# What is told by looking at the files: no server is started.
FILES = {
    "changed byte": Fault(_changed, r"model\.onnx has digest \w+, expected"),
    "truncated": Fault(cut, r"model\.onnx has digest"),
    "missing file": Fault(_missing, r"golden\.jsonl is missing"),
    "link": Fault(_link, r"config\.pbtxt is a link, expected a file"),
    "pipe": Fault(_pipe, "pipe is no regular file"),
    "too large": Fault(_large, r"has 2\.0 MB, expected at most 1", {"max_size_mb": 1}),
    "too many files": Fault(
        lambda layout: None, "has 8 files, expected at most 3", {"max_files": 3}
    ),
    "other dataset": Fault(_described, "its dataset is others, expected toys"),
    "other classes": Fault(_named, "its classes are lorry, expected car"),
    "golden picture elsewhere": Fault(_stranger, r"names '\.\./golden/.*', which is not of the"),
    "no golden picture": Fault(_none_golden, "no golden picture"),
}


def faulty(folder: Path, fault: Fault) -> tuple[PackageLayout, CheckPolicy]:
    """Make a package with a fault, and return it with the limits that it is tried within."""
    layout = good(folder)
    fault.make(layout)
    return layout, CheckPolicy(**fault.limits)
