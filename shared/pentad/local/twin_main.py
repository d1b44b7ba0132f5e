"""Run a twin from the command line until a signal ends it: the bare runner under `pentad up`."""

import argparse
import logging
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from pentad.local.assembly import AssemblyError
from pentad.local.deploy.errors import DeployError
from pentad.local.twin import Twin, TwinError, TwinOptions
from pentad.local.twin_file import TwinRunning

EXIT_FAILED = 1


def ready_message(twin: Twin) -> str:
    """Return what a person wants to know once the twin is up."""
    phases = ", ".join(f"{name} {seconds:.1f}" for name, seconds in twin.timings.items())
    lines = [f"The twin is up in {twin.ready_seconds:.1f} s ({phases})."]
    lines += [f"  HTTP API   {url}  ({name})" for name, url in twin.api_urls.items()]
    lines += [
        f"  AWS        {twin.aws_url}",
        f"  models     {twin.simulator_url}",
        f"  vectors    {twin.vectors_url}",
    ]
    return "\n".join(lines)


def wait_for_signal(stop: threading.Event) -> None:
    """Wait until SIGINT or SIGTERM; a second one has no further effect while the twin stops."""

    def handle(number: int, frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handle)
    stop.wait()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a twin; the exit status is 0 after a signal and 1 if it could not start."""
    parser = argparse.ArgumentParser(prog="python -m pentad.local.twin", description=__doc__)
    parser.add_argument("--assembly", type=Path, default=Path("cdk.out"))
    parser.add_argument("--state", type=Path, default=Path(".pentad"))
    parser.add_argument("--region", default="us-east-1")
    parser.add_argument("--api-port", type=int, default=0)
    parsed = parser.parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # A signal during the start ends it like any other error: what was started is stopped.
    signal.signal(signal.SIGTERM, _interrupt)
    options = TwinOptions(region=parsed.region, api_port=parsed.api_port)
    try:
        with Twin.start(parsed.assembly, parsed.state, options=options) as twin:
            sys.stdout.write(ready_message(twin) + "\n")
            sys.stdout.flush()
            wait_for_signal(threading.Event())
    except KeyboardInterrupt:
        return 0
    except (AssemblyError, DeployError, TwinError, TwinRunning) as error:
        sys.stderr.write(f"The twin cannot start: {error}\n")
        return EXIT_FAILED
    return 0


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
