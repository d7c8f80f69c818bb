from pathlib import Path

import pytest

from components.__main__ import JOBS
from components.shared.contracts.errors import UserError
from pipelines.policy.catalogue import BEGIN, catalogue, replaced

ROOT = Path(__file__).parents[2]


def test_the_catalogue_says_what_the_signatures_say():
    """`make catalogue` writes it anew."""
    page = (ROOT / "components/README.md").read_text()

    assert replaced(page) == page


def test_every_job_stands_in_the_catalogue_once():
    rows = [line.split("`")[1] for line in catalogue().splitlines() if line.startswith("| `")]

    assert sorted(rows) == sorted(JOBS)


def test_a_page_without_a_place_for_the_catalogue_is_refused():
    with pytest.raises(UserError, match="expected each once"):
        replaced(f"# Components\n{BEGIN}\n")
