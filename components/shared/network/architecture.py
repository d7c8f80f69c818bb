"""Name of the network's architecture: the weights of a model fit a network of the same name.

Whoever changes what `network.build_network` computes from given weights changes the name.
"""

ARCHITECTURE = "pan-distribution-1"
# Digests of `layers.py` and `network.py` that packages of before carry instead, and their name.
BY_SOURCE = {"ac648fd6eff7fc39d02463d047da961ec1cfde7e4c5d34529319aef2a79bf2ae": ARCHITECTURE}


def fits(name: str) -> bool:
    """Say whether weights of an architecture fit today's network; without a name they may."""
    return not name or BY_SOURCE.get(name, name) == ARCHITECTURE
