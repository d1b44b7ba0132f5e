"""Run a cloud assembly on this machine until a signal ends it."""

import argparse
import gc
import json
import logging
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from twin.deploy.assembly import AssemblyError
from twin.deploy.errors import DeployError
from twin.front.model import TableTimes
from twin.running.options import TwinOptions
from twin.running.state_file import TwinRunning
from twin.running.twin import Twin, TwinError

EXIT_FAILED = 1
_ENDING = (signal.SIGINT, signal.SIGTERM)


def format_ready_message(twin: Twin) -> str:
    """Return what a person wants to know once the twin is up."""
    phases = ", ".join(f"{name} {seconds:.1f}" for name, seconds in twin.timings.items())
    lines = [f"The twin is up in {twin.ready_seconds:.1f} s ({phases})."]
    lines += [f"  HTTP API   {url}  ({name})" for name, url in twin.api_urls.items()]
    lines += [
        f"  AWS        {twin.aws_url}",
        f"  models     {twin.simulator_url}",
    ]
    if twin.vectors_url is not None:
        lines.append(f"  vectors    {twin.vectors_url}")
    return "\n".join(lines)


def wait_for_signal() -> None:
    """Wait until SIGINT or SIGTERM; further ones have no effect while the twin stops.

    The kernel may hand a signal to any thread, and then a main thread that waits for a lock sleeps on: so the
    interpreter writes it into a socket, whichever thread gets it, and the main thread waits for that.

    The garbage collector need not walk what is loaded by now, neither while the twin works nor as the process ends: a
    twin that has run for a while holds gigabytes of histories, and a last walk through them has taken over a minute.
    """
    gc.freeze()
    reader, writer = socket.socketpair()
    with reader, writer:
        writer.setblocking(False)
        former = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        try:
            for number in _ENDING:
                signal.signal(number, _take_note)
            while reader.recv(1)[0] not in _ENDING:
                continue
        finally:
            signal.set_wakeup_fd(former)
            gc.freeze()


def _take_note(number: int, frame: FrameType | None) -> None:
    """Do nothing: that a handler is set keeps the signal from ending the process."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a twin; the exit status is 0 after a signal and 1 if it could not start."""
    parser = argparse.ArgumentParser(prog="python -m twin", description=__doc__)
    parser.add_argument("--assembly", type=Path, default=Path("cdk.out"), help="folder that cdk synth wrote")
    parser.add_argument("--state", type=Path, default=Path(".twin"), help="folder of the twin's files")
    parser.add_argument("--region", default="us-east-1")
    parser.add_argument("--api-port", type=int, default=0, help="port of the first HTTP API; 0 lets the system choose")
    parser.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="a name of this machine, beside localhost, under which requests and web pages may reach the twin",
    )
    parser.add_argument(
        "--concurrency",
        type=_read_count,
        default=1_000,
        metavar="N",
        help="calls of functions at once, waiting ones included; calls beyond it are throttled (AWS: 1000)",
    )
    parser.add_argument(
        "--processes",
        type=_read_count,
        metavar="N",
        help="processes of functions at once; HTTP APIs have half as many of their own "
        "(16 a core that fit into a quarter of the memory, 16 to 64)",
    )
    parser.add_argument(
        "--keep",
        action="store_true",
        help="keep tables, objects and vectors in the state folder, and begin with what is kept there",
    )
    parser.add_argument("--vector-dimension", type=int, help="serve a vector index for vectors of this size")
    parser.add_argument(
        "--secrets",
        type=_read_secrets,
        default={},
        metavar="FILE",
        help="JSON file: fields to store in secrets, by a secret's name or the last part of it; "
        "{models_url} and {vectors_url} in a field become the stand-ins' addresses",
    )
    parser.add_argument(
        "--transaction-conflicts",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="refuse what meets a DynamoDB transaction in flight on its item, as AWS does; without, it waits",
    )
    parser.add_argument(
        "--index-delay",
        type=float,
        default=0.0,
        metavar="SECONDS",
        help="show a write in DynamoDB's global secondary indexes with a delay of up to this many seconds",
    )
    parsed = parser.parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # A signal during the start ends it like any other error: what was started is stopped.
    signal.signal(signal.SIGTERM, _raise_interrupt)
    options = TwinOptions(
        region=parsed.region,
        api_port=parsed.api_port,
        secrets=parsed.secrets,
        vector_dimension=parsed.vector_dimension,
        hosts=tuple(parsed.allow_host),
        concurrency=parsed.concurrency,
        processes=parsed.processes,
        keep=parsed.keep,
        table_times=TableTimes(conflicts=parsed.transaction_conflicts, index_delay_seconds=parsed.index_delay),
    )
    try:
        with Twin.start(parsed.assembly, parsed.state, options=options) as twin:
            sys.stdout.write(format_ready_message(twin) + "\n")
            sys.stdout.flush()
            wait_for_signal()
    except KeyboardInterrupt:
        return 0
    except (AssemblyError, DeployError, TwinError, TwinRunning, PermissionError) as error:
        sys.stderr.write(f"The twin cannot start: {error}\n")
        return EXIT_FAILED
    return 0


def _read_count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"'{text}' must be 1 or more")
    return number


def _read_secrets(file: str) -> dict[str, dict[str, str]]:
    try:
        found = json.loads(Path(file).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise argparse.ArgumentTypeError(f"'{file}' is not a readable JSON file: {error}") from error
    if not isinstance(found, dict) or not all(isinstance(fields, dict) for fields in found.values()):
        raise argparse.ArgumentTypeError(f"'{file}' must hold an object of objects: fields by secret")
    return {name: {key: str(value) for key, value in fields.items()} for name, fields in found.items()}


def _raise_interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
