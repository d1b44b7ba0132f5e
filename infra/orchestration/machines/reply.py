"""The request-response pattern: of the loop's own definition what one turn without tools needs, on an Express machine.

An Express execution lives five minutes and cannot wait for a human, so an agent that may need either is refused here,
before anything is deployed.
"""

from pathlib import Path

from infra.orchestration.tasks import MODELS_THROTTLED, SNAP_START_ERRORS, THROTTLED, State
from pentad.domain.declarations.agents import AgentSpec
from pentad.domain.errors import ConfigurationError

_STATES = ("Recall", "Think", "Deliver", "Abort", "Failed")
_SECONDS = {"Recall": 45, "Think": 150, "Deliver": 35, "Abort": 35}
"""Most seconds of one try of each state: one of each, and another of the short ones, fit into Express' five minutes."""
_ENTRY_SECONDS = 10
"""Until the function has begun: a start from a snapshot takes a second or two."""
_RETRIES = 2
_WAITING_RETRIES = 4
"""They wait for a snapshot 130 s in all, and for concurrency 75 s at most, which a quick turn leaves; a run whose five
minutes end nevertheless fails as others do."""


def build_reply_definition(loop: State) -> State:
    """Return the definition of a turn that is all there is: Recall, Think, Deliver.

    Args:
        loop: the definition that `infra.orchestration.machines.loop` makes of the agent.
    """
    states = {name: dict(loop["States"][name]) for name in _STATES}
    # Without tools and humans a turn answers or stops: both are delivered, there is nothing to decide.
    states["Think"]["Next"] = "Deliver"
    for name, seconds in _SECONDS.items():
        state = states[name]
        state["TimeoutSeconds"] = min(state["TimeoutSeconds"], seconds)
        state["Retry"] = [
            {**rule, "MaxAttempts": min(rule["MaxAttempts"], _WAITING_RETRIES if _waits(rule) else _RETRIES)}
            for rule in state["Retry"]
        ]
    states["Think"]["Arguments"] = _tell_seconds(states["Think"]["Arguments"])
    return loop | {"States": states}


def _tell_seconds(arguments: State) -> State:
    """Let the gateway know how long the state waits: a model that is asked for longer would be paid for nothing."""
    payload = str(arguments["Payload"])
    head = payload.removesuffix("} %}")
    if head == payload:
        raise ValueError("the payload of Think does not end as an object in JSONata")
    return arguments | {"Payload": f"{head}, 'seconds': {_SECONDS['Think'] - _ENTRY_SECONDS}}} %}}"}


def _waits(rule: State) -> bool:
    """Return whether a rule waits for a snapshot, concurrency or a share: what fails at once, and uses up no time."""
    return set(rule["ErrorEquals"]) <= {*SNAP_START_ERRORS, THROTTLED, MODELS_THROTTLED}


def check_pattern(spec: AgentSpec, settings: Path) -> None:
    """Refuse what an agent with ``pattern: reply`` cannot do.

    Args:
        spec: the agent.
        settings: its ``agent.yaml``, for the message.

    Raises:
        ConfigurationError: names the file and the field.
    """
    if spec.pattern != "reply":
        return
    wrong = {
        "tools": (bool(spec.tools), "one turn has no place for calls and their results"),
        "confidence": (spec.confidence is not None, "a band may ask a human, and an Express execution cannot wait"),
        "humans.may_ask": (spec.humans.may_ask, "an Express execution cannot wait for an answer"),
        "requires": (bool(spec.requires), "a human is asked for what is missing, and an Express execution cannot wait"),
    }
    for field, (present, why) in wrong.items():
        if present:
            raise ConfigurationError(
                f"{settings}: {field}: an agent with 'pattern: reply' cannot have '{field}': {why}",
                field=field,
                fix=f"remove '{field}', or write 'pattern: loop'",
            )
