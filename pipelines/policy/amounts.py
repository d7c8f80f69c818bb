"""Amounts of CPU and memory as Kubernetes writes them, so that they can be compared."""

import re
from decimal import Decimal

UNITS = {"": Decimal(1), "m": Decimal("0.001"), "k": Decimal(1000)}
UNITS |= {unit: Decimal(1000) ** power for power, unit in enumerate("MGTPE", start=2)}
UNITS |= {f"{unit}i": Decimal(1024) ** power for power, unit in enumerate("KMGTPE", start=1)}
QUANTITY = re.compile(r"(?P<digits>\d+(?:\.\d*)?|\.\d+)(?P<unit>[mkMGTPE]|[KMGTPE]i)?", re.ASCII)


def amount(text: str) -> Decimal:
    """Return how much that is, in cores or bytes; 0 if it is no amount.

    >>> amount("500m"), amount("2G"), amount("1Ki"), amount("much")
    (Decimal('0.500'), Decimal('2000000000'), Decimal('1024'), Decimal('0'))
    """
    parts = QUANTITY.fullmatch(text)
    return Decimal(parts["digits"]) * UNITS[parts["unit"] or ""] if parts else Decimal(0)
