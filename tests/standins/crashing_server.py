"""The real detector server, but that it dies of a signal where it should load a package."""

import os
import signal
import sys

from components.serve_detector.repository import RepositoryApi
from components.serve_detector.service import main


class Crashing(RepositoryApi):
    """Dies as a fault in a library lets it die: at once, and without a word."""

    async def load(self, model_name):
        os.kill(os.getpid(), signal.SIGSEGV)


if __name__ == "__main__":
    import components.serve_detector.service as service

    service.RepositoryApi = Crashing
    main(sys.argv[1:])
