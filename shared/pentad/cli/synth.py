"""Synthesize the cloud assembly, or reuse one whose sources have not changed."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

from pentad.cli.console import CommandError

_FILES = ("cdk.json", "models.yaml", "tools.yaml", "policy.yaml", "mcp.yaml", "mcp.lock.json")
SOURCES = ("infra", "agents", "functions", "shared", "layers", "requirements", *_FILES)
_TOLD = "error: "  # what `python -m infra.app` says of a mistake in the project begins so
_MARK = ".pentad-sources"
_SECONDS = 900
_LEFT_OUT = {"__pycache__", ".DS_Store"}
# The command line and the tests' kit are in no asset: editing them leaves the assembly as it is.
_NO_ASSET = (("shared", "pentad", "cli"), ("shared", "pentad", "testing"))


def find_project_root(start: Path | None = None) -> Path:
    """Return the project's folder: the nearest one upwards that has a cdk.json.

    Raises:
        CommandError: there is none.
    """
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / "cdk.json").is_file() and (folder / "infra").is_dir():
            return folder
    raise CommandError("no Pentad project here; run the command in the folder that holds cdk.json", code=2)


def hash_sources(root: Path) -> str:
    """Return the hash of everything the assembly is made from."""
    digest = hashlib.sha256()
    for source in SOURCES:
        base = root / source
        files = [base] if base.is_file() else sorted(path for path in base.rglob("*") if path.is_file())
        for path in files:
            parts = path.relative_to(root).parts
            if _LEFT_OUT.intersection(parts) or any(parts[: len(skip)] == skip for skip in _NO_ASSET):
                continue
            digest.update(f"{path.relative_to(root).as_posix()}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def ensure_assembly(root: Path, stage: str = "dev") -> tuple[Path, bool]:
    """Return the assembly's folder and whether it was made anew.

    The checks of cdk-nag are left out here: `make synth` and every deployment run them.

    Raises:
        CommandError: the synth failed; the message is its last lines.
    """
    out = root / "cdk.out"
    now = f"{stage} {hash_sources(root)}"
    mark = out / _MARK
    if mark.is_file() and mark.read_text() == now and (out / "manifest.json").is_file():
        return out, False
    mark.unlink(missing_ok=True)
    environment = os.environ | {
        "CDK_OUTDIR": str(out),
        "CDK_VALIDATION": "false",
        "CDK_CONTEXT_JSON": json.dumps({"stage": stage, "pentad:checks": "off", "pentad:vectors": "local"}),
    }
    try:
        done = subprocess.run(
            [sys.executable, "-m", "infra.app"],
            cwd=root,
            env=environment,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise CommandError(f"the synth took more than {_SECONDS} s") from error
    if done.returncode != 0:
        raise CommandError(f"the synth failed: {_extract_error(done.stderr)}")
    mark.write_text(now)
    return out, True


def _extract_error(said: str) -> str:
    """Return the lines that say what is wrong with the project, else what was said last."""
    told = [line.removeprefix(_TOLD) for line in said.splitlines() if line.startswith(_TOLD)]
    return "\n".join(told) if told else f"\n{_last_lines(said)}"


def _last_lines(text: str, count: int = 12) -> str:
    return "\n".join(text.strip().splitlines()[-count:])
