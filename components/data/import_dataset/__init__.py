"""A person's own labelled images become the same events as a camera's."""
