"""The items of a run in the state table: pure mappings between models and attributes (docs/data-model.md).

What never changes is JSON in ``body``; what conditions and updates need stands beside it.
"""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from pentad.aws.readable import check_readable, from_stored
from pentad.aws.table import Item
from pentad.domain import keys
from pentad.domain.errors import NotFound, SessionBusy
from pentad.domain.keys import iso
from pentad.domain.messages import Message
from pentad.domain.runs import TRANSITIONS, Actor, CallStatus, Manifest, Run, RunStatus, Step, ToolCall, UndoFailure
from pentad.domain.usage import Spent, Usage
from pentad.orchestration.runs.conditions import build_open_condition
from pentad.orchestration.runs.ports import QUEUE_LENGTH
from pentad.orchestration.runs.spill import Spill, spill_key

_FIXED = {
    "tenant_id",
    "run_id",
    "agent",
    "session_id",
    "user_id",
    "trigger",
    "created_at",
    "request_hash",
    "idempotency_key",
    "metadata",
    "kind",
    "parent_run_id",
    "if_busy",
    "overrides",
    "forked_from_run_id",
    "first_step",
    "redrive_of_run_id",
    "requester",
    "traceparent",
}
HAPPENED = frozenset({CallStatus.SUCCEEDED, CallStatus.FAILED, CallStatus.UNDONE})
"""Ends of a call: they tell what has happened, so they are written down whatever became of the run."""
TAKEN_OVER = "the run's lease expired, and another run took over the session"
_NOTED = "m:"
"""Begins the attributes that hold metadata noted after the start: one each, so that writers don't undo each other."""
OUTCOME = {"answer", "citations", "notices", "error", "stop_reason"}
COUNTS = tuple(Usage.model_fields)


def make_run_item(run: Run) -> Item:
    """Return a new run's item."""
    chosen = {} if run.manifest is None else {"manifest": run.manifest.model_dump_json()}
    return (
        {
            "pk": keys.run_pk(run.tenant_id, run.run_id),
            "sk": keys.META,
            "type": "run",
            "gsi1pk": keys.collection_pk(run.tenant_id, "RUNS"),
            "gsi1sk": f"{iso(run.created_at)}#{run.run_id}",
            "body": run.model_dump_json(include=_FIXED),
            "request_hash": run.request_hash,
            "status": run.status.value,
            "updated_at": iso(run.updated_at),
            "fence": run.fence,
            "request_seq": run.request_seq,
            "execution_arn": run.execution_arn,
            "steps": run.spent.steps,
            "cost_nanousd": run.spent.cost_nanousd,
            "waited_ms": round(run.waited_seconds * 1000),
        }
        | {f"u_{name}": getattr(run.spent.usage, name) for name in COUNTS}
        | chosen
        | ({"taint": set(run.taint)} if run.taint else {})
    )


def make_session_run_item(run: Run) -> Item:
    """Return the item that lists a run under its session."""
    return {
        "pk": keys.session_pk(run.tenant_id, run.session_id),
        "sk": keys.session_run_sk(iso(run.created_at), run.run_id),
        "type": "session_run",
        "run": run.run_id,
    }


def parse_run(item: Item, outcome: str | None) -> Run:
    """Return the run of an item.

    Args:
        item: the run's item.
        outcome: the JSON of its end, where it has ended.
    """
    values: dict[str, Any] = json.loads(item["body"])
    values |= {
        "status": RunStatus(item["status"]),
        "updated_at": item["updated_at"],
        "ended_at": item.get("ended_at"),
        "execution_arn": item.get("execution_arn"),
        "fence": int(item.get("fence", 0)),
        "hands_over": bool(item.get("hands_over", False)),
        "waited_seconds": int(item["waited_ms"]) / 1000,
        "spent": Spent(
            steps=int(item["steps"]),
            cost_nanousd=int(item["cost_nanousd"]),
            usage=Usage(**{name: int(item[f"u_{name}"]) for name in COUNTS}),
        ),
    }
    if "request_seq" in item:
        values["request_seq"] = int(item["request_seq"])
    noted = {name[len(_NOTED) :]: value for name, value in item.items() if name.startswith(_NOTED)}
    values["metadata"] = values["metadata"] | noted
    for name in ("allowed_tools", "allowed_taint", "taint"):
        values[name] = tuple(sorted(item.get(name, ())))
    values["notices"] = tuple(sorted(item.get("told", ())))
    values["confidence"] = float(item["confidence"]) if "confidence" in item else None
    if "manifest" in item:
        values["manifest"] = from_stored(Manifest, item["manifest"])
    return Run.model_validate(values | json.loads(outcome or "{}"), extra="ignore")


def make_child_item(run: Run, parent_run_id: str) -> Item:
    """Return the item that lists a run under its parent."""
    return {
        "pk": keys.run_pk(run.tenant_id, parent_run_id),
        "sk": keys.child_sk(run.run_id),
        "type": "child",
        "run": run.run_id,
    }


class QueuedRequest(NamedTuple):
    """What a run in a queue needs to begin."""

    request: Message
    session_days: int
    lease_seconds: int


def store_waiting(spill: Spill, run: Run, request: Message, session_days: int, lease_seconds: int) -> Item:
    """Return the attributes that a run keeps while it waits: its message above all."""
    place = spill_key(run.tenant_id, run.run_id, {"sk": "request"})
    return spill.pack("waiting", place, request.model_dump_json()) | {
        "session_days": session_days,
        "lease_seconds": lease_seconds,
    }


def load_waiting(spill: Spill, item: Item) -> QueuedRequest:
    """Return what `store_waiting` kept."""
    request = from_stored(Message, spill.unpack("waiting", item) or "")
    return QueuedRequest(request, int(item["session_days"]), int(item["lease_seconds"]))


def make_queue_full_error() -> SessionBusy:
    """Return the error of a request that finds no place in its session's queue."""
    return SessionBusy(
        f"the session's queue is full: {QUEUE_LENGTH} runs are waiting",
        field="session",
        retry_after=5,
        fix="wait until some have ended, or use another session",
    )


def make_no_session_error() -> NotFound:
    """Return the error of a request that goes on with a session which is not there, and which it can't make."""
    return NotFound(
        "no such session",
        field="session",
        fix="leave it out to begin one, or name one of yours",
    )


def build_add_clause(
    spent: Spent, notices: Sequence[str] = (), taint: Sequence[str] = ()
) -> tuple[str, dict[str, str], dict[str, Any]]:
    """Return the ADD clause, names and values that add to what a run has used and told; zeros are left out.

    Args:
        spent: what a step used.
        notices: what it told; the run keeps each once.
        taint: sources of untrusted text in its context; the run keeps each once.
    """
    amounts: dict[str, Any] = {"steps": spent.steps, "cost_nanousd": spent.cost_nanousd}
    amounts |= {f"u_{name}": getattr(spent.usage, name) for name in COUNTS}
    amounts |= {"told": set(notices), "taint": set(taint)}
    amounts = {name: amount for name, amount in amounts.items() if amount}
    if not amounts:
        return "", {}, {}
    clause = " ADD " + ", ".join(f"#a{place} :a{place}" for place in range(len(amounts)))
    names = {f"#a{place}": name for place, name in enumerate(amounts)}
    values = {f":a{place}": amount for place, amount in enumerate(amounts.values())}
    return clause, names, values


def build_end_update(
    before: Run, run: Run, outcome: Mapping[str, Any], *, waiting: bool
) -> tuple[str, str, dict[str, Any]]:
    """Return the update that ends a run, its condition, and the names and values that fill them.

    Args:
        before: the run as it is stored.
        run: the same as it ends; what it has spent more than before is added.
        outcome: its end, as it is stored.
        waiting: it waits for its session, and may end only while it does.
    """
    sources = {f":s{place}": source.value for place, source in enumerate(list_sources(run.status))}
    clause = ", ".join(f"{name} = :{name}" for name in outcome)
    hands_over = ", hands_over = :yes" if run.hands_over else ""
    adding, names, amounts = build_add_clause(before.spent.compute_missing(run.spent))
    values = sources | {":to": run.status.value, ":at": iso(run.updated_at)} | amounts
    values |= {f":{name}": value for name, value in outcome.items()}
    values |= ({":yes": True} if run.hands_over else {}) | ({":none": 0} if waiting else {})
    condition = f"#status IN ({', '.join(sources)})" + (" AND fence = :none" if waiting else "")
    if adding:
        # A step that was counted meanwhile may be what was missing: then it is looked at again.
        condition += " AND cost_nanousd = :seen"
        values[":seen"] = before.spent.cost_nanousd
    update = f"SET #status = :to, updated_at = :at, ended_at = :at, {clause}{hands_over}{adding}"
    return update, condition, {"names": {"#status": "status"} | names, "values": values}


class Noted(NamedTuple):
    """What is to be added to what is known of an open run."""

    metadata: Mapping[str, str]
    allowed_tools: Sequence[str]
    confidence: float | None
    allowed_taint: Sequence[str] = ()
    taint: Sequence[str] = ()


def build_note_update(noted: Noted, at: str, *, with_confidence: bool) -> tuple[str, str, dict[str, Any]]:
    """Return the update, its condition and what fills them.

    Args:
        noted: what to add.
        at: the time, ISO 8601.
        with_confidence: only where the run has a higher one, or none.
    """
    names = {"#status": "status"} | {f"#m{place}": f"{_NOTED}{name}" for place, name in enumerate(noted.metadata)}
    values: dict[str, Any] = {f":m{place}": value for place, value in enumerate(noted.metadata.values())}
    update = ", ".join(["SET updated_at = :at", *(f"#m{place} = :m{place}" for place in range(len(noted.metadata)))])
    condition, ends = build_open_condition()
    if with_confidence and noted.confidence is not None:
        update += ", confidence = :confidence"
        condition += " AND (attribute_not_exists(confidence) OR confidence > :confidence)"
        values[":confidence"] = Decimal(str(noted.confidence))
    added = {name: set(getattr(noted, name)) for name in ("allowed_tools", "allowed_taint", "taint")}
    added = {name: those for name, those in added.items() if those}
    if added:
        update += f" ADD {', '.join(f'{name} :{name}' for name in added)}"
        values |= {f":{name}": those for name, those in added.items()}
    return update, condition, {"names": names, "values": values | ends | {":at": at}}


def compute_spent(step: Step) -> Spent:
    """Return what a step adds to its run; one without a model (a stop) is no turn."""
    return Spent(steps=0 if step.provider is None else 1, usage=step.usage, cost_nanousd=step.cost_nanousd)


def make_step_key(step: Step) -> Item:
    """Return the keys and type of a step's item."""
    return {"pk": keys.run_pk(step.tenant_id, step.run_id), "sk": keys.step_sk(step.step), "type": "step"}


def make_call_key(call: ToolCall) -> Item:
    """Return the keys, type and status of a call's item."""
    return {
        "pk": keys.run_pk(call.tenant_id, call.run_id),
        "sk": keys.call_sk(call.step, call.index),
        "type": "call",
        "status": call.status.value,
    }


def add_undo(call: ToolCall, item: Item) -> ToolCall:
    """Return a call with who undoes it, and why that failed: both stand beside what its tool's function writes."""
    found = {name: kind for name, kind in _UNDO.items() if name in item}
    if not found:
        return call
    with check_readable("who undid a call"):
        return call.model_copy(update={name: from_stored(kind, item[name]) for name, kind in found.items()})


_UNDO: dict[str, type[Actor | UndoFailure]] = {"undone_by": Actor, "undo_failure": UndoFailure}


def list_sources(target: RunStatus) -> list[RunStatus]:
    """Return the statuses from which a run may go to ``target``."""
    return [source for source, targets in TRANSITIONS.items() if target in targets]


def make_no_run_error() -> NotFound:
    """Return the error of a request for a run that is not there."""
    return NotFound("no such run", field="run")
