"""The name of a result that was too large to be shown whole, and where the whole is kept.

A handle holds no id of a run: it says which call of a run it is, and a check that only fits that run of that tenant.
So one that was copied from another run opens nothing.
"""

import hashlib
import re
from dataclasses import dataclass
from typing import Final

HANDLE: Final = re.compile(r"res_([0-9]{1,5})_([0-9]{1,2})_([0-9a-f]{12})")


HANDLE_START: Final = "res_"


@dataclass(frozen=True)
class CallPlace:
    """Which call of a run."""

    step: int
    index: int


def make_handle(tenant_id: str, run_id: str, step: int, index: int) -> str:
    """Return the name of a call's result within its run."""
    said = "\x00".join((tenant_id, run_id, str(step), str(index)))
    return f"res_{step}_{index}_{hashlib.sha256(said.encode()).hexdigest()[:12]}"


def parse_handle(tenant_id: str, run_id: str, handle: str) -> CallPlace | None:
    """Return the call that a handle names, or None where it is none of this run."""
    match = HANDLE.fullmatch(handle)
    if match is None:
        return None
    step, index = int(match[1]), int(match[2])
    return CallPlace(step, index) if make_handle(tenant_id, run_id, step, index) == handle else None


def make_key(tenant_id: str, run_id: str, step: int, index: int) -> str:
    """Return the key of a whole result in the bucket of payloads: below the run, so it is erased with it."""
    return f"{tenant_id}/runs/{run_id}/results/{step:05d}-{index:02d}.txt"
