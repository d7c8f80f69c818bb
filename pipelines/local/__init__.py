"""The laptop home: the same components with an embedded database, stream and server."""
