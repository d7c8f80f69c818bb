import pytest

from pipelines.local.processor import recipe_here


@pytest.mark.parametrize(
    ("flags", "recipe"), [("avx2 avx512_bf16", "precision: bfloat16"), ("avx2 avx512f", "")]
)
def test_a_training_here_uses_bfloat16_where_the_processor_has_it(tmp_path, flags, recipe):
    described = tmp_path / "cpuinfo"
    described.write_text(f"flags\t\t: fpu {flags} sse\n")

    assert recipe_here(described) == recipe


def test_a_machine_that_says_nothing_trains_as_all_do(tmp_path):
    assert recipe_here(tmp_path / "missing") == ""
