"""A recording as a test without a model, a tool or a twin: what `pentad replay` does, for a test."""

from pathlib import Path

from pentad.cli.deployable import Deployable
from pentad.cli.expressions import evaluate_expression
from pentad.domain.errors import ConfigurationError
from pentad.orchestration.timetravel.recording import Recording
from pentad.orchestration.timetravel.replay.replay import CannotReplay, Replay, add_request_prints
from pentad.orchestration.timetravel.replay.report import Report
from pentad.runtime.wiring.replay import make_replay_stores
from pentad.testing.recordings import load_recording
from twin.deploy.assembly import AssemblyError


class OfflineReplay:
    """Replays recordings by the agents and the code of this project.

    Args:
        assembly: the synthesized assembly.
    """

    def __init__(self, assembly: Path) -> None:
        self._deployable = Deployable(assembly)

    def __call__(self, path: Path | str) -> Report:
        """Replay a file that `pentad runs export` wrote.

        Raises:
            AssertionError: it is none of this version, or can't be replayed; the message says why.
        """
        recording = load_recording(Path(path))
        agent = recording.definition.agent
        try:
            machine = self._deployable.load_definition(agent)
            return Replay(
                self._add_requests(recording),
                machine,
                self._deployable.load_catalog(),
                evaluate=evaluate_expression,
                make_stores=make_replay_stores,
            )()
        except (AssemblyError, CannotReplay, ConfigurationError) as error:
            raise AssertionError(f"{path} can't be replayed: {error}") from error

    def _add_requests(self, recording: Recording) -> Recording:
        """Return a recording with the prints of its requests; one that the API gave has none."""
        if any(step.request for step in recording.steps):
            return recording
        machine = self._deployable.load_definition(recording.definition.agent)
        return add_request_prints(recording, machine, evaluate=evaluate_expression, make_stores=make_replay_stores)
