"""Put the results into trajectories that were written by hand: ``python -m tests.twin.trajectories.fill FILE ...``.

Each ``tool`` message gets what the desk's tools answer to its call, applied in order to the trajectory's database.
"""

import json
import sys
from pathlib import Path

from tests.twin.trajectories.apply import applied
from tests.twin.trajectories.loader import load
from tests.twin.trajectories.project import tools_of

DESK = Path(__file__).parent / "desk"


def fill(path: Path) -> None:
    """Rewrite one file."""
    content = json.loads(path.read_text(encoding="utf-8"))
    [trajectory] = load(path)
    outcomes, _ = applied(trajectory, tools_of(DESK))
    results = {call.call_id: outcome.text for call, outcome in zip(trajectory.calls, outcomes, strict=True)}
    for message in content["messages"]:
        if message["role"] == "tool":
            message["content"] = results[message["tool_call_id"]]
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    for name in sys.argv[1:]:
        fill(Path(name))
