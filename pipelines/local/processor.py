"""Choose mixed precision for local training from the CPU flags: bfloat16 or float32."""

from pathlib import Path

BFLOAT16 = ("avx512_bf16", "amx_bf16")  # flags of processors that multiply in bfloat16


def recipe_here(described: Path = Path("/proc/cpuinfo")) -> str:
    """Return the settings of a training that suit this machine, as a recipe.

    Where the processor has no bfloat16 of its own, imitating it is slower than float32.

    Args:
        described: The kernel's description of the processor; it need not be there.
    """
    flags = described.read_text().split() if described.exists() else []
    return "precision: bfloat16" if any(flag in flags for flag in BFLOAT16) else ""
