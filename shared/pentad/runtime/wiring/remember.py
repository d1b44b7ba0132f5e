"""The wiring of functions.memory.remember: its steps, in the order in which they run."""

from functools import cache

from pentad.aws.clients import get_client
from pentad.memory.corrections.adapters.corrections_dynamodb import DynamoCorrections
from pentad.memory.corrections.learn_correction import LearnCorrection
from pentad.memory.facts.learn import LearnFacts
from pentad.memory.remember.adapters.progress_dynamodb import DynamoProgress
from pentad.memory.remember.ports import DeletedSession, RememberStep
from pentad.memory.remember.remember import Remember
from pentad.memory.summaries.adapters.summaries_dynamodb import DynamoSummaries
from pentad.memory.summaries.summarise import Summarise
from pentad.memory.turns.adapters.segments_dynamodb import DynamoSegments
from pentad.memory.turns.ports import Owner
from pentad.memory.turns.said import Said
from pentad.memory.turns.steps import KeepVectors, KeepWords
from pentad.models.remote.adapters.gateway_lambda import LambdaChatModel, LambdaEmbedder
from pentad.runtime.catalog import load_catalog
from pentad.runtime.clock import now
from pentad.runtime.settings import RememberSettings, read_settings
from pentad.runtime.wiring.ground.stores import make_facts, make_sessions, make_table
from pentad.runtime.wiring.ground.telemetry import telemetry_of

_GATEWAY_SECONDS = 110.0
"""How long to wait for the gateway's answer; less than the function may take."""


@cache
def make_remember() -> Remember:
    """Return what brings the memories of a session up to its end."""
    values = read_settings(RememberSettings)
    return Remember(
        sessions=make_sessions(values),
        progress=DynamoProgress(make_table(values.state_table), clock=now),
        steps=_make_steps(values),
        telemetry=telemetry_of("remember"),
        clock=now,
        forget=_forget,
    )


def _forget(session: DeletedSession) -> None:
    """Remove what was said in a session, and its summaries; facts stay, as they do where a session is deleted."""
    table = make_table(read_settings(RememberSettings).state_table)
    owner = Owner(session.tenant_id, session.user_id, session.session_id)
    Said(DynamoSegments(table)).forget_session(owner, session.session_id)
    DynamoSummaries(table).remove_all(session.tenant_id, session.session_id)


@cache
def make_learn_correction() -> LearnCorrection:
    """Return what learns from corrections that users gave of answers."""
    values = read_settings(RememberSettings)
    corrections, telemetry = DynamoCorrections(make_table(values.state_table)), telemetry_of("remember")
    return LearnCorrection(corrections, make_sessions(values), _make_learn(values), telemetry)


def _make_learn(values: RememberSettings) -> LearnFacts:
    """Return what learns facts."""
    # One attempt: a second one would ask, and bill, twice. The queue delivers again.
    gateway = get_client("lambda", read_timeout=_GATEWAY_SECONDS, attempts=1)
    return LearnFacts(
        facts=make_facts(values, values.state_table),
        model=LambdaChatModel(gateway, values.gateway_function),
        embedder=LambdaEmbedder(gateway, values.gateway_function),
        telemetry=telemetry_of("remember"),
        clock=now,
        learns=_learns,
    )


def _make_steps(values: RememberSettings) -> list[RememberStep]:
    """Return the steps; each is one kind of memory."""
    table = make_table(values.state_table)
    said = Said(DynamoSegments(table))
    # One attempt: a second one would ask, and bill, twice. The queue delivers again.
    gateway = get_client("lambda", read_timeout=_GATEWAY_SECONDS, attempts=1)
    embedder = LambdaEmbedder(gateway, values.gateway_function)
    return [
        KeepWords(said, keeps=_keeps_turns, days=values.said_days),
        KeepVectors(said, embedder, keeps=_keeps_turns, days=values.said_days),
        _make_learn(values),
        Summarise(
            summaries=DynamoSummaries(table),
            model=LambdaChatModel(gateway, values.gateway_function),
            telemetry=telemetry_of("remember"),
            clock=now,
            wanted=_summarises,
        ),
    ]


def _summarises(agent: str) -> bool:
    """Tell whether an agent's sessions are summarised."""
    found = load_catalog().agents.get(agent)
    return found is not None and found.memory.summary


def _keeps_turns(agent: str) -> bool:
    """Tell whether what is said in an agent's sessions is kept; those of a workflow are no conversations."""
    found = load_catalog().agents.get(agent)
    return found is not None and found.memory.turns


def _learns(agent: str) -> bool:
    """Tell whether facts are learned from an agent's sessions; those of an agent that is gone teach nothing."""
    found = load_catalog().agents.get(agent)
    return found is not None and found.memory.learn
