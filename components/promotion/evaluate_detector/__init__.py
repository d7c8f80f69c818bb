"""Compare model packages on the same frozen images in one run."""
