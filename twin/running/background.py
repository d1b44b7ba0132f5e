"""One step of the twin's start on its own thread, beside the others."""

import threading
from collections.abc import Callable


class Background:
    """Runs one step on a thread; its error is raised where the result is asked for."""

    def __init__(self, step: Callable[[], None]) -> None:
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, args=(step,), name="twin-start", daemon=True)
        self._thread.start()

    def _run(self, step: Callable[[], None]) -> None:
        try:
            step()
        except BaseException as error:  # handed over to the thread that waits
            self._error = error

    def wait(self) -> None:
        """Wait for the step and raise what it raised."""
        self._thread.join()
        if self._error is not None:
            raise self._error

    def wait_quietly(self) -> None:
        """Wait for the step, whatever becomes of it."""
        self._thread.join()
