"""First code of a function process: ties its life to the host's, then hands over to the Lambda runtime client.

Run by path in a bare interpreter (`python -S -P launcher.py ...`), so it may import the standard library only:
nothing of the project may be loaded before the function's own assets are in front of the import path.

Arguments: host pid, bytecode folder, site-packages folders and asset folders (each joined by the path
separator), how to watch the host ("signal" or "stdin"), and the handler.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
from importlib.machinery import (
    BYTECODE_SUFFIXES,
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    SourceFileLoader,
    SourcelessFileLoader,
)
from types import CodeType

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing it for real would add 27 ms to each cold start
    from importlib.abc import PathEntryFinder
    from typing import Any

PR_SET_PDEATHSIG = 1


def bind_to_host(host_pid: int, how: str) -> None:
    """Arrange that this process ends when the host does, however the host ends."""
    if how == "signal":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != host_pid:  # the host died before the request to be told of it
            os._exit(1)
        return
    pipe = os.dup(0)
    with open(os.devnull) as nothing:  # noqa: PTH123 - pathlib is not worth its import time in each cold start
        os.dup2(nothing.fileno(), 0)
    threading.Thread(target=_kill_at_eof, args=(pipe,), daemon=True).start()


def _kill_at_eof(pipe: int) -> None:
    while os.read(pipe, 1):
        pass
    os.killpg(0, signal.SIGKILL)


def cache_assets(folders: tuple[str, ...], bytecode: str) -> None:
    """Compile modules of the asset folders into `bytecode`: cold starts stay fast, the assembly is not written to.

    Only for those folders: `sys.pycache_prefix` for all imports would ignore the bytecode that lies beside every
    installed package, and the first cold start would compile thousands of modules again.
    """

    class AssetLoader(SourceFileLoader):
        def get_code(self, fullname: str) -> CodeType | None:
            sys.pycache_prefix = bytecode
            try:
                return super().get_code(fullname)
            finally:
                sys.pycache_prefix = None

    hook = FileFinder.path_hook(
        (ExtensionFileLoader, EXTENSION_SUFFIXES),
        (AssetLoader, SOURCE_SUFFIXES),
        (SourcelessFileLoader, BYTECODE_SUFFIXES),
    )

    def make_finder(path: str) -> PathEntryFinder:
        if any(path == folder or path.startswith(folder + os.sep) for folder in folders):
            return hook(path)
        raise ImportError(path)

    sys.path_hooks.insert(0, make_finder)
    sys.path_importer_cache.clear()


def report_below_path() -> None:
    """Let the runtime client report init errors to an address with a path.

    Its compiled part, which takes and answers invocations, joins address and path; its Python part takes the address
    for a host and a port.
    """
    from awslambdaric.lambda_runtime_client import BaseLambdaRuntimeClient

    call = BaseLambdaRuntimeClient.call_rapid

    def call_below_path(client: Any, method: str, endpoint: str, *rest: Any, **named: Any) -> None:
        whole = client.lambda_runtime_address
        client.lambda_runtime_address, _, path = whole.partition("/")
        try:
            call(client, method, f"/{path}{endpoint}", *rest, **named)
        finally:
            client.lambda_runtime_address = whole

    BaseLambdaRuntimeClient.call_rapid = call_below_path


def main(argv: list[str]) -> None:
    """Prepare the interpreter as the Lambda environment has it, and run the handler's runtime loop."""
    host_pid, bytecode, site_folders, asset_folders, how, handler = argv[1:7]
    bind_to_host(int(host_pid), how)
    cache_assets(tuple(asset_folders.split(os.pathsep)), bytecode)
    sys.path.extend(site_folders.split(os.pathsep))
    sys.argv = ["bootstrap", handler]
    report_below_path()
    from awslambdaric.__main__ import main as run

    run(sys.argv)


if __name__ == "__main__":
    main(sys.argv)
