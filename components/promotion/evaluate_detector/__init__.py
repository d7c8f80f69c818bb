"""Compare the packages that would be served, on the same frozen images in the same run."""
