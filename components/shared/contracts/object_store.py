"""Parse addresses of object stores by their URI schemes: `s3://bucket/prefix` and the like."""

import re

REMOTE_SCHEMES = ("s3", "gs", "az", "abfs", "abfss")  # which every pod of a cluster can reach
SCHEMES = (*REMOTE_SCHEMES, "file")
URI = re.compile(r"([a-z][a-z0-9+.-]*)://.+")


def scheme_of(address: str) -> str:
    """Return the scheme of an address; empty if it is a path.

    >>> scheme_of("s3://bucket/prefix"), scheme_of("my/folder")
    ('s3', '')
    """
    found = URI.fullmatch(address)
    return found[1] if found else ""
