"""Jobs that check, compare, register and roll out models."""
