"""Choose mixed precision for local training from the CPU flags: bfloat16 or float32."""

from pathlib import Path

BFLOAT16 = ("avx512_bf16", "amx_bf16")  # flags of processors that multiply in bfloat16


def recipe_here(described: Path = Path("/proc/cpuinfo")) -> str:
    """Return training settings that suit the CPU, as a recipe.

    Where the CPU has no bfloat16 instructions, emulating it is slower than float32.

    Args:
        described: The kernel's description of the CPU; it need not exist.
    """
    flags = described.read_text().split() if described.exists() else []
    return "precision: bfloat16" if any(flag in flags for flag in BFLOAT16) else ""
