"""Write which of the granted actions a twin's roles have used, for whoever asks which grants nothing uses."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Final

from twin.front.front import AwsFront
from twin.iam.model import PolicyError

FOLDER: Final = "PENTAD_TWIN_USES"
"""The variable that names a folder; a twin leaves a file there when it stops. Without it, none is written."""


def write_uses(front: AwsFront) -> None:
    """Write ``{role: {granted, used}}`` of a twin into a file of its own."""
    folder = os.environ.get(FOLDER)
    if not folder:
        return
    try:
        granted = front.account.list_granted_actions()
    except PolicyError:  # of a test that deploys what can't be evaluated: it says so itself
        return
    used: dict[str, set[str]] = {}
    for role, action in front.authorizer.used.copy():
        used.setdefault(role, set()).add(action)
    found = {
        role.rpartition("/")[2]: {"granted": actions, "used": sorted(used.get(role, ()))}
        for role, actions in granted.items()
    }
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    (place / f"{os.getpid()}-{time.time_ns()}.json").write_text(json.dumps(found), encoding="utf-8")
