"""Parse CPU and memory quantities of Kubernetes."""

import re
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, Field

UNITS = {"": Decimal(1), "m": Decimal("0.001"), "k": Decimal(1000)}
UNITS |= {unit: Decimal(1000) ** power for power, unit in enumerate("MGTPE", start=2)}
UNITS |= {f"{unit}i": Decimal(1024) ** power for power, unit in enumerate("KMGTPE", start=1)}
FORM = re.compile(r"(?P<digits>\d+(?:\.\d*)?|\.\d+)(?P<unit>[mkMGTPE]|[KMGTPE]i)?", re.ASCII)


def amount(text: str) -> Decimal:
    """Return a quantity in cores or bytes; 0 if it is invalid.

    >>> amount("500m"), amount("2G"), amount("1Ki"), amount("much")
    (Decimal('0.500'), Decimal('2000000000'), Decimal('1024'), Decimal('0'))
    """
    parts = FORM.fullmatch(text)
    return Decimal(parts["digits"]) * UNITS[parts["unit"] or ""] if parts else Decimal(0)


def above_zero(text: str) -> str:
    """Validate that a quantity is above zero, for a record's field.

    Raises:
        ValueError: If it is none, or nothing.
    """
    if not amount(text):
        raise ValueError("expected an amount above 0, such as 500m or 2G")
    return text


Quantity = Annotated[str, Field(coerce_numbers_to_str=True), AfterValidator(above_zero)]
