"""How a benchmark ends that was begun from the command line."""

import logging
import signal
from collections.abc import Callable

from benchmarks.stage import BenchError
from pentad.cli.console import ERR, EXIT_INTERRUPTED, CommandError


def ended(run: Callable[[], int], *failures: type[Exception]) -> int:
    """Return the exit code of a benchmark that starts a twin, with what was started stopped.

    Args:
        run: does all of it and returns its exit code.
        failures: what it raises in one line where something did not run, beside `BenchError` and `CommandError`.
    """
    logging.basicConfig(level=logging.ERROR, format="%(levelname)s %(name)s: %(message)s")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that what was started is stopped
    expected: tuple[type[Exception], ...] = (BenchError, CommandError, *failures)
    try:
        return run()
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except expected as error:
        ERR.print(f"[red]error:[/] {error}", soft_wrap=True)
        return 1
