"""A stand-in for live cameras where there are none: known photographs, shown anew."""
