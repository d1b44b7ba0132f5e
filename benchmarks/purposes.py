"""What each frequent DynamoDB request is for, in a sentence; the wording follows docs/layers/orchestration.md."""

from benchmarks.requests import Row

_WHY: dict[tuple[str, str, str], str] = {
    ("api", "GetItem", "session head"): "is the session there, and how many messages has it",
    ("api", "TransactWriteItems", "run, session lease, run of a session, session head, message"): (
        "the start: run, question, session and its lease, all or nothing"
    ),
    ("api", "UpdateItem", "run"): "notes the execution's ARN on the run",
    ("api", "GetItem", "run"): "looks whether the run has ended",
    ("recall", "GetItem", "run"): "the run: was its context chosen before, and which message does it answer",
    ("recall", "GetItem", "session head"): "where the session's epoch begins",
    ("recall", "Query", "message"): "the messages of the epoch, to choose the context from",
    ("recall", "GetItem", "message"): "the question as it is stored, to put its passages beside it",
    ("recall", "UpdateItem", "run"): "stores the manifest: the context that was chosen",
    ("recall", "UpdateItem", "message"): "stores the passages with the question, so that later turns send the same",
    ("gateway", "BatchGetItem", "run, step"): "was this turn done before; and the run: limits, what it has spent",
    ("gateway", "GetItem", "session head"): "the session's epoch, and the version that the append is checked against",
    ("gateway", "Query", "message"): "the conversation that is sent to the model",
    ("gateway", "Query", "tool call"): "the results of the last turn's tools",
    ("gateway", "PutItem", "model attempt"): "the ledger: one entry for each attempt at a provider, embeddings too",
    ("gateway", "Query", "model attempt"): "what the embedding of the question has cost: the first step carries it",
    ("gateway", "TransactWriteItems", "session head, message"): "appends reply (and tool results) under the version",
    ("gateway", "TransactWriteItems", "step, run"): "stores the step with what it cost",
    ("gateway", "TransactWriteItems", "step, run, tool call"): "stores the step, its cost and the calls to make",
    ("deliver", "GetItem", "run"): "the run, to end it",
    ("deliver", "Query", "step"): "the run's steps: the answer is the last one's",
    ("deliver", "Query", "message"): "answer and passages, to resolve citations",
    ("deliver", "TransactWriteItems", "run, session lease"): "ends the run and releases the session, all or nothing",
    ("run-tool", "BatchGetItem", "run, tool call"): (
        "the call with its arguments (one that has ended is not run again), and its run: does it still go on"
    ),
    ("run-tool", "PutItem", "tool call"): "stores the result",
    ("run-tool", "Query", "end of the audit"): "the last entry of the run's audit, which the next one follows",
    ("run-tool", "TransactWriteItems", "audit entry, end of the audit"): "the audit entry of the execution, sealed",
    ("remember", "UpdateItem", "progress of the memory"): (
        "the claim on the session, how far each step has come, and the claim given back"
    ),
    ("authorizer", "GetItem", "API key"): "checks the API key; the answer is kept for a while",
}

_OF_KIND = {
    "share": "has the tenant a place among the calls that may run at once",
    "budget": "which budgets hold here; kept for a while",
    "budget's use": "what the budgets have left, and what this call takes of it",
    "spend": "counts what was spent, for the reports",
    "circuit": "which models are out of order; kept for a while",
    "rate": "has the key, the user or the tool a request left this minute",
    "switch": "is anything switched off; kept for a while",
    "tool's health": "is a tool out of order",
}
"""What is asked about one kind of item by whichever function."""


def purpose(row: Row) -> str:
    """Return what a request is for, with a question mark where nobody has said."""
    told = _WHY.get((row.function, row.operation, row.items))
    if told is not None:
        return told
    known = [_OF_KIND[kind] for kind in row.kinds if kind in _OF_KIND]
    others = ", ".join(kind for kind in row.kinds if kind not in _OF_KIND)
    return "; ".join([*([_WHY.get((row.function, row.operation, others), "?")] if others else []), *known])
