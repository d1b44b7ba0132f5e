"""The environment and command line of a function process, built from nothing.

Nothing of the laptop's environment passes: what a function sees is what CloudFormation resolved, what Lambda
reserves, its role's credentials, and the twin's endpoint.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from twin.host.model import LATEST, FunctionSpec

LAUNCHER = Path(__file__).with_name("launcher.py")
PATH = "/usr/local/bin:/usr/bin:/bin"
XRAY_DAEMON = "127.0.0.1:2000"


def list_site_folders() -> tuple[str, ...]:
    """Return the folders that hold the installed packages, without what `.pth` files add.

    The project's own editable install is such a `.pth` file: it must not stand in for the assembly's assets.
    """
    folders = [sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    for package in ("awslambdaric", "boto3"):
        spec = find_spec(package)
        if spec is not None and spec.origin is not None:
            folders.append(str(Path(spec.origin).parent.parent))
    return tuple(dict.fromkeys(folders))


def list_asset_folders(spec: FunctionSpec) -> tuple[str, ...]:
    """Return the folders of the function's own code, in Lambda's order: the task, then each layer."""
    return (str(spec.code_dir), *(str(layer / "python") for layer in spec.layer_dirs))


def build_environment(
    spec: FunctionSpec,
    *,
    region: str,
    runtime_api: str,
    log_stream: str,
    scratch: Path,
    credentials: Mapping[str, str],
    extra: Mapping[str, str],
) -> dict[str, str]:
    """Return the whole environment of one instance.

    `scratch` stands for Lambda's /tmp and is also HOME, so that no library reads the user's own dot files.
    """
    reserved = {
        "_HANDLER": spec.handler,
        "AWS_DEFAULT_REGION": region,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{spec.runtime}",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(spec.memory_mb),
        "AWS_LAMBDA_FUNCTION_NAME": spec.name,
        "AWS_LAMBDA_FUNCTION_VERSION": LATEST,
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": spec.log_group,
        "AWS_LAMBDA_LOG_STREAM_NAME": log_stream,
        "AWS_LAMBDA_RUNTIME_API": runtime_api,
        "AWS_REGION": region,
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        "AWS_XRAY_DAEMON_ADDRESS": XRAY_DAEMON,
        "HOME": str(scratch),
        "LAMBDA_RUNTIME_DIR": str(LAUNCHER.parent),
        "LAMBDA_TASK_ROOT": str(spec.code_dir),
        "LANG": "en_US.UTF-8",
        "PATH": PATH,
        "PYTHONPATH": os.pathsep.join(list_asset_folders(spec)),
        "PYTHONUTF8": "1",
        "TMPDIR": str(scratch),
        "TZ": ":UTC",
    }
    return {**spec.environment, **reserved, **credentials, **extra}


@dataclass(frozen=True, slots=True)
class FunctionStart:
    """What starts one instance's process, but for its environment.

    Attributes:
        code: the folder of the function's own code, the process's working folder.
        layers: folders of its layers, in Lambda's order.
        handler: module and function, as Lambda has it.
        bytecode: folder for the bytecode of its assets.
        watch: how it learns of the host's end (see launcher).
        own_variables: names of the variables that the function declares.
    """

    code: Path
    layers: tuple[str, ...]
    handler: str
    bytecode: str
    watch: str
    own_variables: frozenset[str] = frozenset()

    @property
    def sites(self) -> str:
        """Folders of installed packages, joined."""
        return os.pathsep.join(list_site_folders())

    @property
    def arguments(self) -> list[str]:
        """The launcher's arguments after the id of the process that it ends with."""
        return [self.bytecode, self.sites, os.pathsep.join((str(self.code), *self.layers)), self.watch, self.handler]

    @property
    def command(self) -> list[str]:
        """The command line of a process of its own."""
        return [sys.executable, "-S", "-P", str(LAUNCHER), str(os.getpid()), *self.arguments]


def describe_start(spec: FunctionSpec, *, bytecode: Path, watch: str) -> FunctionStart:
    """Return how instances of a function start; `watch` is how they learn of the host's end (see launcher)."""
    return FunctionStart(
        code=spec.code_dir,
        layers=list_asset_folders(spec)[1:],
        handler=spec.handler,
        bytecode=str(bytecode),
        watch=watch,
        own_variables=frozenset(spec.environment),
    )
