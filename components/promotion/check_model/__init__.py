"""Try a package in the real server, shut in, before anything is promoted."""
