"""What a test of an agent works with: one tenant of its own on the session's twin."""

from collections.abc import Sequence
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import Any

from pentad.models.providers.request_names import name_part
from pentad.orchestration.timetravel.recording import Recording
from pentad.testing.approvals import KitApprovals
from pentad.testing.clock import KitClock
from pentad.testing.documents import KitDocuments
from pentad.testing.faults import KitFaults
from pentad.testing.model import ScriptedModel
from pentad.testing.recordings import LiveReplay, load_recording, replay_live
from pentad.testing.records import KitRecords
from pentad.testing.runs import KitRun
from pentad.testing.stack.world import Json, Stack, Tenant, word


class Kit:
    """One test's tenant: nobody else's runs, records, documents, faults or scripts are in it.

    Args:
        stack: the twin.
        tenant: the test's.

    Attributes:
        tenant: for what is not here: ``tenant.get("/v1/...")``, ``tenant.post(path, body)``.
    """

    def __init__(self, stack: Stack, tenant: Tenant) -> None:
        self._stack = stack
        self.tenant = tenant
        self._models: dict[tuple[str, ...], ScriptedModel] = {}

    @property
    def model(self) -> ScriptedModel:
        """The scripted model of all the tenant's agents. From its first mention on, rules answer nothing any more."""
        return self._script((self._name,), "the test")

    def model_of(self, agent: str) -> ScriptedModel:
        """Return the scripted model of one agent, whatever others of the tenant say: for agents that run at once."""
        return self._script((self._name, name_part("agent", self.tenant.name, agent)), f"the agent '{agent}'")

    def converse(self, agent: str, *, session_id: str | None = None) -> "Conversation":
        """Begin a session with an agent, with a scripted model of its own."""
        return Conversation(self, agent, session_id or word("s-"))

    def ask(self, agent: str, message: str, *, session_id: str | None = None, **fields: Any) -> KitRun:
        """Send a message to an agent or workflow, and return the run once it has ended or waits for a human.

        Args:
            agent: its name.
            message: the user's words.
            session_id: the conversation; a new one where it is None.
            fields: what else ``POST /v1/runs`` takes: ``user``, ``metadata``, ``if_busy``.

        Raises:
            AssertionError: the API refused it, or a scripted model was asked for what its script does not say.
        """
        run_id = self.start(agent, message, session_id=session_id, **fields)
        return self.read(run_id)

    def start(self, agent: str, message: str, *, session_id: str | None = None, **fields: Any) -> str:
        """Send a message and return the run's id at once: for faults in the middle of a run.

        Raises:
            AssertionError: the API refused it; the message is what it says.
        """
        asked: Json = {"agent": agent, "message": message, **fields} | ({"session": session_id} if session_id else {})
        answer = self.tenant.post("/v1/runs", asked)
        if answer.is_error:
            raise AssertionError(f"the run of '{agent}' was refused: {answer.text}")
        return str(answer.json()["run_id"])

    def read(self, run_id: str, after: str | None = None) -> KitRun:
        """Return a run once it has ended, or waits for another approval than `after`.

        Raises:
            AssertionError: neither happened within two minutes, or a scripted model was asked for what its script
                does not say.
        """
        run = KitRun(self.tenant, self.tenant.settle(run_id, after=after))
        self.check_expected()
        return run

    def replay(self, recording: Path | str | Json, *, ignore: Sequence[str] = ()) -> LiveReplay:
        """Run a recording again with the tools as they are now, and say what differs.

        The model says what it said, and humans decide as they did; the conversation before is there. Fill the records
        and documents that the tools read first.

        Args:
            recording: a file that `pentad runs export` wrote, or what ``GET /v1/runs/{run}/recording`` answered.
            ignore: fields of the tools' JSON results that may differ at any depth, such as ids and times.

        Raises:
            AssertionError: it can't be run so, or an agent asked its model for more than was recorded.
        """
        found = Recording.model_validate(recording) if isinstance(recording, dict) else load_recording(Path(recording))
        return replay_live(self, self._stack, found, ignore)

    @cached_property
    def records(self) -> KitRecords:
        """What tools keep."""
        return KitRecords(self._stack, self.tenant.name)

    @cached_property
    def documents(self) -> KitDocuments:
        """What agents recall passages from."""
        return KitDocuments(self.tenant)

    @cached_property
    def faults(self) -> KitFaults:
        """What goes wrong."""
        return KitFaults(self._stack, self.tenant.name)

    @cached_property
    def approvals(self) -> KitApprovals:
        """What humans decide."""
        return KitApprovals(self._stack, self.tenant, self.read)

    @cached_property
    def clock(self) -> KitClock:
        """What would happen later."""
        return KitClock(self._stack, self.tenant, self.approvals, self.read)

    def check_expected(self) -> None:
        """Check that no model was asked for what its script does not say.

        Raises:
            UnexpectedRequest: one was.
        """
        for model in self._models.values():
            model.check_expected()

    def check_used(self) -> None:
        """Check that every scripted model said all it had to say.

        Raises:
            UnexpectedRequest: one did not.
        """
        for model in self._models.values():
            model.check_used()

    def close(self) -> None:
        """Take the scripts and faults back."""
        with ExitStack() as undone:
            for model in self._models.values():
                undone.callback(model.close)
            undone.callback(self.faults.clear)

    @property
    def _name(self) -> str:
        return name_part("tenant", self.tenant.name, self.tenant.name)

    def _script(self, of: tuple[str, ...], name: str) -> ScriptedModel:
        if of not in self._models:
            self._models[of] = ScriptedModel(self._stack.simulator, of, name)
        return self._models[of]


class Conversation:
    """One session with an agent.

    Args:
        kit: whose.
        agent: with which agent.
        session_id: the session.
    """

    def __init__(self, kit: Kit, agent: str, session_id: str) -> None:
        self._kit, self.agent, self.session_id = kit, agent, session_id

    @property
    def model(self) -> ScriptedModel:
        """The scripted model of this session alone."""
        tenant = self._kit.tenant.name
        of = (self._kit._name, name_part("session", tenant, self.session_id))
        return self._kit._script(of, f"the session '{self.session_id}'")

    def ask(self, message: str, **fields: Any) -> KitRun:
        """Send the user's next message, and return the run once it has ended or waits for a human."""
        return self._kit.ask(self.agent, message, session_id=self.session_id, **fields)

    def messages(self) -> list[Json]:
        """Return the session's messages, the first first."""
        return self._kit.tenant.messages(self.session_id)
