"""The scenario of damaged annotation files: right boxes or a refusal, never other boxes."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

from components.shared.contracts.errors import UserError
from tests.proofs.hardening.place import Place
from tests.proofs.table import Check, equal, stated
from tests.support.damaged_datasets import FORMS, GARBAGE, KINDS, SIZES, mutate, read, wrong

DAMAGED = 20_000


def damaged_annotations(place: Place) -> Iterator[Check]:
    """Each damaged file of each form is read rightly, or refused in a sentence."""
    random, outcomes = Random(0), Counter[str]()
    for form, files in FORMS.items():
        root = place.folder / form.replace(" ", "-").replace("/", "-")
        for name in (*SIZES, *files):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(files.get(name, ""))
        for _ in range(DAMAGED // len(FORMS)):
            outcomes[_damaged(root, files, random)] += 1
    yield equal("damaged annotation files", outcomes.total(), DAMAGED // len(FORMS) * len(FORMS))
    yield equal("of these read with wrong boxes", outcomes["wrong"], 0)
    others = [name for name in outcomes if name.startswith("raised")]
    yield equal("of these with an error that is no refusal", others, [])
    yield stated("outcomes", str(dict(outcomes)))


def _damaged(root: Path, files: dict[str, str], random: Random) -> str:
    name = random.choice(sorted(files))
    damaged = mutate(
        random.choice(KINDS), files[name], random.randrange(10**6), random.choice(GARBAGE)
    )
    (root / name).write_bytes(damaged)
    try:
        return "wrong" if wrong(read(root)) else "read"
    except UserError:
        return "refused"
    except Exception as error:
        return f"raised {type(error).__name__}"
    finally:
        (root / name).write_text(files[name])
