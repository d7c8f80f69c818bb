"""A declarative Jenkinsfile as nested blocks: enough of Groovy to see what runs, and when.

Strings and comments are understood, and every bracket must be closed by its own kind. What
stands in a block is a statement of one line, or a block.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

PIECE = re.compile(
    r"""(?P<comment>//[^\n]*|/\*.*?\*/)
      | (?P<string>'''.*?'''|\"\"\".*?\"\"\"|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*")
      | (?P<open>[{(\[]) | (?P<close>[})\]]) | (?P<end>[\n;]) | (?P<quote>['"]) | (?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
PAIRS = {"{": "}", "(": ")", "[": "]"}
STAGE = re.compile(r"stage\('([\w-]+)'\)")


@dataclass
class Block:
    """What stands before a brace, and what stands in it."""

    head: str
    body: "list[str | Block]" = field(default_factory=list)

    @property
    def blocks(self) -> "list[Block]":
        return [part for part in self.body if isinstance(part, Block)]

    @property
    def statements(self) -> list[str]:
        return [part for part in self.body if isinstance(part, str)]

    def child(self, head: str) -> "Block | None":
        return next((block for block in self.blocks if block.head == head), None)

    def everything(self) -> "Iterator[Block]":
        yield self
        for block in self.blocks:
            yield from block.everything()


def read(text: str) -> Block:
    """Return a file as one block without a head.

    Raises:
        ValueError: If a bracket or a quote is not closed.
    """
    brackets: list[str] = []
    blocks, words = [Block("")], ""
    for piece in PIECE.finditer(text):
        kind, said = piece.lastgroup, piece[0]
        line = text.count("\n", 0, piece.start()) + 1
        if kind == "quote":
            raise ValueError(f"line {line}: {said} is not closed")
        if kind == "close" and (not brackets or PAIRS[brackets.pop()] != said):
            raise ValueError(f"line {line}: {said} closes nothing")
        if kind == "open":
            brackets.append(said)
        if said == "{" and kind == "open":
            blocks.append(Block(words.strip()))
            words = ""
        elif (said == "}" and kind == "close") or (kind == "end" and "(" not in brackets):
            blocks[-1].body += filter(None, [words.strip()])
            words = ""
            if kind == "close":
                done = blocks.pop()
                blocks[-1].body.append(done)
        elif kind != "comment":
            words += said
    if brackets:
        raise ValueError(f"{brackets[-1]} is not closed")
    return blocks[0]


def stages(block: Block) -> Iterator[tuple[str, Block]]:
    """Yield the stages that run steps, in the order in which they run.

    Raises:
        ValueError: If a stage has not either steps or stages.
    """
    for part in block.blocks:
        name, inner = STAGE.fullmatch(part.head), part.child("stages")
        if not name:
            yield from stages(part)
        elif (part.child("steps") is None) == (inner is None):
            raise ValueError(f"stage {name[1]} needs either steps or stages")
        elif inner:
            yield from stages(inner)
        else:
            yield name[1], part
