"""The steps of the pipeline keep what was said in a session, through the pipeline itself."""

from datetime import timedelta

import pytest

from pentad.domain.errors import ModelUnavailable
from pentad.domain.messages import Message, TextBlock
from pentad.memory.remember.adapters.progress_memory import MemoryProgress
from pentad.memory.remember.ports import RememberStep, Work
from pentad.memory.remember.remember import EndedRun, Remember
from pentad.memory.sessions.adapters.sessions_memory import MemorySessions
from pentad.memory.sessions.ports import Session
from pentad.memory.turns.adapters.segments_memory import MemorySegments
from pentad.memory.turns.ports import Owner
from pentad.memory.turns.said import Said
from pentad.memory.turns.steps import KEPT_DAYS, PURPOSE, KeepVectors, KeepWords
from pentad.observability.adapters.memory import MemoryTelemetry
from tests.unit.memory.fakes import RUN, START, WordEmbedder

LATER = (START + timedelta(days=1)).timestamp()


class World:
    """A session of ada's, and the pipeline with the two steps."""

    def __init__(self, user_id: str | None = "ada", days: int = KEPT_DAYS) -> None:
        self.items = MemorySegments()
        self.said = Said(self.items)
        self.embedder = WordEmbedder()
        self.sessions = MemorySessions(clock=lambda: START)
        self.owner = Owner("acme", user_id, "s1")
        self.sessions.create(
            Session(
                tenant_id="acme",
                session_id="s1",
                agent="assistant",
                user_id=user_id,
                version=0,
                length=0,
                created_at=START,
                updated_at=START,
                expires_at=START + timedelta(days=30),
            )
        )
        self.remember = Remember(
            sessions=self.sessions,
            progress=MemoryProgress(clock=lambda: START),
            steps=[KeepWords(self.said, days=days), KeepVectors(self.said, self.embedder, days=days)],
            telemetry=MemoryTelemetry(),
            clock=lambda: START,
            forget=lambda _: None,
        )

    def talk(self, *texts: str) -> None:
        for text in texts:
            head = self.sessions.get("acme", "s1")
            assert head is not None
            user = head.length % 2 == 0
            message = Message(
                message_id=f"m{head.length}",
                role="user" if user else "assistant",
                blocks=(TextBlock(text=text),),
                created_at=START,
                run_id=RUN,
                step=0 if user else 1,
            )
            self.sessions.append("acme", "s1", [message], expected_version=head.version)
        self.remember.run(EndedRun(tenant_id="acme", session_id="s1"), deadline=LATER)


def test_what_was_said_is_kept_with_a_vector_each() -> None:
    world = World()
    world.talk("I moved to Graz.", "Good to know.")
    world.talk("Where do I live?", "In Graz.")
    memory = world.said.load(world.owner)
    assert [(one.speaker, one.text) for one in memory.words[0].said] == [
        ("ada", "I moved to Graz."),
        ("assistant", "Good to know."),
        ("ada", "Where do I live?"),
        ("assistant", "In Graz."),
    ]
    assert memory.vectors[0].places == [("s1", seq, 0) for seq in range(4)]
    assert world.embedder.texts[0] == "ada (22 November 2026): I moved to Graz."
    # After the run, so of no run; of the user, so that the user's spend has it.
    assert {(one.run_id, one.user_id, one.session_id, one.purpose) for one in world.embedder.contexts} == {
        (None, "ada", "s1", PURPOSE)
    }


def test_where_the_embedder_is_down_the_words_are_kept_and_the_vectors_come_later() -> None:
    world = World()
    world.embedder.failures.append(ModelUnavailable("down"))
    with pytest.raises(ModelUnavailable):
        world.talk("I moved to Graz.", "Good to know.")
    memory = world.said.load(world.owner)
    assert (len(memory.words[0].said), memory.vectors) == (2, ())
    world.talk("Thanks.", "You are welcome.")
    memory = world.said.load(world.owner)
    assert (len(memory.words[0].said), len(memory.vectors[0].places)) == (4, 4)


def test_a_session_without_a_user_is_kept_by_itself_and_goes_with_it() -> None:
    world = World(user_id=None)
    world.talk("I moved to Graz.", "Good to know.")
    assert len(world.said.load(Owner("acme", None, "s1")).words[0].said) == 2
    assert world.said.load(Owner("acme", None, "s2")).words == ()
    [segment] = world.items.list_newest(world.owner, "words", 9)
    assert segment.expires_at == START + timedelta(days=30)


def test_a_users_conversations_outlive_their_sessions() -> None:
    world = World()
    world.talk("I moved to Graz.", "Good to know.")
    [segment] = world.items.list_newest(world.owner, "words", 9)
    assert segment.expires_at == START + timedelta(days=KEPT_DAYS)


def test_of_an_agent_that_keeps_nothing_nothing_is_kept_or_embedded() -> None:
    world = World()
    steps: list[RememberStep] = [
        KeepWords(world.said, keeps=_keeps),
        KeepVectors(world.said, world.embedder, keeps=_keeps),
    ]
    world.remember = Remember(
        sessions=world.sessions,
        progress=MemoryProgress(clock=lambda: START),
        steps=steps,
        telemetry=MemoryTelemetry(),
        clock=lambda: START,
        forget=lambda _: None,
    )
    world.talk("I moved to Graz.", "Good to know.")
    assert (world.said.load(world.owner).words, world.embedder.texts) == ((), [])


def _keeps(agent: str) -> bool:
    return agent != "assistant"


def test_what_is_a_users_is_kept_for_as_long_as_the_deployment_says() -> None:
    world = World(days=9)
    world.talk("I moved to Graz.", "Good to know.")
    for kind in ("words", "vectors"):
        [segment] = world.items.list_newest(world.owner, kind, 9)
        assert segment.expires_at == START + timedelta(days=9)


@pytest.mark.parametrize("begins_again", [False, True])
def test_of_a_session_that_is_deleted_meanwhile_nothing_is_kept(begins_again: bool) -> None:
    world = World()
    world.talk("I like tea.", "Good to know.")
    found, forgotten = world.sessions.get("acme", "s1"), list[int]()
    assert found is not None
    head = found

    class Deleting(KeepWords):
        def run(self, work: Work) -> int:
            world.sessions.remove("acme", "s1")
            world.said.forget_session(world.owner, "s1")
            if begins_again:
                again = {"version": 0, "length": 0, "created_at": START + timedelta(seconds=1)}
                world.sessions.create(head.model_copy(update=again))
            return super().run(work)

    world.remember = Remember(
        sessions=world.sessions,
        progress=MemoryProgress(clock=lambda: START),
        steps=[Deleting(world.said), KeepVectors(world.said, world.embedder)],
        telemetry=MemoryTelemetry(),
        clock=lambda: START,
        forget=lambda session: forgotten.append(world.said.forget_session(world.owner, session.session_id)),
    )
    world.talk("I moved to Graz.", "Good to know.")
    memory = world.said.load(world.owner)
    assert [one for segment in memory.words for one in segment.said] == []
    assert [place for segment in memory.vectors for place in segment.places] == []
    assert forgotten == [4]
