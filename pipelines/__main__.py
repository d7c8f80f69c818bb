"""Run pipelines on this machine, or on Kubeflow: `python -m pipelines --help`."""

import os
import signal
import sys

from components.shared.contracts.errors import ApplicationError, ExitCode


def main(words: list[str]) -> int:
    """Run the command of the command line, and return the exit code."""
    signal.signal(signal.SIGTERM, _leave)
    try:
        from pipelines.command_line import parser  # slow: after Ctrl-C is handled

        options = vars(parser().parse_args(words))
        return int(options.pop("act")(options))
    except ApplicationError as error:
        print(f"\n{error}", file=sys.stderr)
        return ExitCode.of(error)
    except BrokenPipeError:  # the reader of the output has ended, such as `head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except OSError as failure:
        print(f"\n{failure.strerror or failure}: {failure.filename or ''}", file=sys.stderr)
        return ExitCode.REFUSED
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        return ExitCode.INTERRUPTED


def _leave(signum: int, frame: object) -> None:
    sys.exit(128 + signum)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
