"""The real detector server, but that it dies of a signal where it should load a package."""

import os
import signal
import sys

from components.serving.serve_detector.service import main


class Crashing:
    """ASGI middleware that dies as a fault in a library lets it die: at once, without a word."""

    def __init__(self, app):
        self._app = app

    async def __call__(self, scope, receive, send):
        if scope.get("path", "").endswith("/load"):
            os.kill(os.getpid(), signal.SIGSEGV)
        await self._app(scope, receive, send)


if __name__ == "__main__":
    main(sys.argv[1:], wrap=Crashing)
