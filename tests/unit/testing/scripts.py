"""The simulator's scripts without its server: real ones, reached by a call instead of HTTP."""

from collections.abc import Mapping, Sequence
from typing import Any

from twin.simulator import SimulatorControl
from twin.simulator.neutral import Conversation, Reply, Turn
from twin.simulator.private_scripts import PrivateScripts
from twin.simulator.script import RawReply


class DirectControl(SimulatorControl):
    """A `SimulatorControl` of scripts in this process."""

    def __init__(self) -> None:
        super().__init__("http://nowhere.invalid")
        self.scripts = PrivateScripts()

    def extend_private_script(self, of: Sequence[str], *steps: Mapping[str, Any]) -> dict[str, Any]:
        return self.scripts.extend({"of": list(of), "steps": list(steps)})

    def get_private_report(self, of: Sequence[str]) -> dict[str, Any]:
        return self.scripts.report(of)

    def clear_private_script(self, of: Sequence[str]) -> None:
        self.scripts.clear(of)

    def clear_faults(self, text: str = "", name: str = "") -> None:
        """Clear nothing: there are none."""

    def count_scripts(self) -> int:
        """Return how many scripts there are."""
        return len(self.scripts._scripts)

    def ask(self, name: str, said: str) -> Reply | RawReply | None:
        """Ask as a request of this name would."""
        seen = {"provider": "anthropic", "path": "/v1/messages", "model": "claude-opus-5"}
        return self.scripts.take(name, seen, Conversation("claude-opus-5", (Turn("user", said),)), "toolu_")
