"""Keys of every item in DynamoDB, in one place: each starts with the tenant (docs/data-model.md).

What is no tenant's starts with ``SYS#``.
"""

import hashlib
from datetime import datetime

from pentad.domain.ids import hash_user


def iso(moment: datetime) -> str:
    """Return a time as every item holds it: always with microseconds, so that text order is time order."""
    return moment.isoformat(timespec="microseconds")


def tenant_prefix(value: str) -> str:
    """Return the prefix of all keys of a tenant."""
    return f"T#{value}"


def session_pk(tenant_id: str, session_id: str) -> str:
    """Return the partition of a session, its messages and its lease."""
    return f"T#{tenant_id}#S#{session_id}"


def message_sk(seq: int) -> str:
    """Return the sort key of a message."""
    return f"{MESSAGE}{seq:08d}"


def session_run_sk(created_at: str, run_id: str) -> str:
    """Return the sort key that lists a session's runs by time."""
    return f"{SESSION_RUN}{created_at}#{run_id}"


def said_prefix(kind: str) -> str:
    """Return what the sort keys of one kind of segments begin with, of what was said: words or vectors."""
    return f"{SAID}{kind.upper()}#"


def said_sk(kind: str, number: int) -> str:
    """Return the sort key of a segment of what was said."""
    return f"{said_prefix(kind)}{number:06d}"


def run_pk(tenant_id: str, run_id: str) -> str:
    """Return the partition of a run, in the state table and in the ledger."""
    return f"T#{tenant_id}#R#{run_id}"


def child_sk(run_id: str) -> str:
    """Return the sort key that lists a run under its parent."""
    return f"{CHILD}{run_id}"


def step_sk(step: int) -> str:
    """Return the sort key of a step."""
    return f"{STEP}{step:05d}"


def calls_prefix(step: int) -> str:
    """Return what the sort keys of a step's tool calls begin with."""
    return f"{CALL}{step:05d}#"


def call_sk(step: int, index: int) -> str:
    """Return the sort key of a tool call."""
    return f"{calls_prefix(step)}{index:02d}"


def graph_nodes_sk(step: int, index: int) -> str:
    """Return the sort key of what ran inside a tool call that is a graph."""
    return f"{GRAPH_NODES}{step:05d}#{index:02d}"


def effect_sk(effect_key: str) -> str:
    """Return the sort key of an effect."""
    return f"{EFFECT}{effect_key}"


def result_sk(place: int) -> str:
    """Return the sort key of what a step of a workflow came to, at one place of its run."""
    return f"{RESULT}{place:05d}"


def approval_sk(step: int) -> str:
    """Return the sort key of an approval in its run."""
    return f"{APPROVAL}{step:05d}"


def review_sk(step: int, cause: str) -> str:
    """Return the sort key of a review in its run."""
    return f"REVIEW#{step:05d}#{cause}"


def feedback_sk(feedback_id: str) -> str:
    """Return the sort key of what one person says of one thing of a run."""
    return f"{FEEDBACK}{feedback_id}"


def feedback_key_sk(key_hash: str) -> str:
    """Return the sort key of the caller's key of a request with feedback on a run."""
    return f"FEEDBACKKEY#{key_hash}"


def collection_pk(tenant_id: str, kind: str) -> str:
    """Return the partition of a list of a tenant, such as SESSIONS, RUNS, REVIEWS, FEEDBACK, KEYS or DOCS."""
    return f"T#{tenant_id}#{kind}"


def user_pk(tenant_id: str, user_id: str) -> str:
    """Return the partition of what is remembered of a user across sessions."""
    return f"T#{tenant_id}#U#{user_id}"


def erasures_pk(tenant_id: str, user_hash: str) -> str:
    """Return the partition of the receipts of a user's erasures; the user is named by a hash."""
    return f"T#{tenant_id}#ERASURES#{user_hash}"


def summary_sk(last_seq: int) -> str:
    """Return the sort key of a session's summary, by the last message that it covers."""
    return f"{SUMMARY}{last_seq:08d}"


def fact_sk(fact_id: str) -> str:
    """Return the sort key of a fact."""
    return f"{FACT}{fact_id}"


def forgotten_sk(fact_id: str) -> str:
    """Return the sort key of what is left of a fact that was forgotten."""
    return f"{FORGOTTEN}{fact_id}"


def correction_sk(feedback_id: str) -> str:
    """Return the sort key of a correction that waits to be learned from."""
    return f"CORRECTION#{feedback_id}"


def learned_sk(session_id: str, first_seq: int, last_seq: int, recipe: str) -> str:
    """Return the sort key of what was learned from a range of a session by one recipe."""
    return f"{LEARNED}{session_id}#{first_seq:08d}-{last_seq:08d}#{recipe}"


def call_order_pk(tenant_id: str) -> str:
    """Return the partition of the turns among a tenant's calls that run one after the other."""
    return f"T#{tenant_id}#CALLORDER"


def tool_rates_pk(tenant_id: str | None) -> str:
    """Return the partition of the buckets of tools' rates: a tenant's, or those that all tenants share."""
    return TOOL_RATES if tenant_id is None else collection_pk(tenant_id, "TOOLRATES")


def done_pk(tenant_id: str, kind: str) -> str:
    """Return the partition of the marks of tools' calls whose writes to records of a kind are done."""
    return f"T#{tenant_id}#{kind}#DONE"


def document_pk(tenant_id: str, name: str) -> str:
    """Return the partition of a document's chunks; the name is hashed, since it may hold any character."""
    return f"T#{tenant_id}#DOC#{hashlib.sha256(name.encode()).hexdigest()[:32]}"


def chunks_sk(part: int) -> str:
    """Return the sort key of one part of a document's chunk list."""
    return f"{CHUNKS}{part:04d}"


def graph_pk(tenant_id: str, thread_id: str) -> str:
    """Return the partition of a LangGraph thread; the thread's id is written without ``#``."""
    return f"T#{tenant_id}#G#{thread_id}"


def ledger_day_pk(tenant_id: str, day: str) -> str:
    """Return the ledger's partition for attempts that belong to no run; ``day`` is YYYY-MM-DD (UTC)."""
    return f"T#{tenant_id}#D#{day}"


def audit_pk(tenant_id: str, run_id: str) -> str:
    """Return the ledger's partition for the audit of a run's tool calls; of all roles, the tool runner's writes it."""
    return f"T#{tenant_id}#AUDIT#{run_id}"


def acts_pk(tenant_id: str | None, subject: str) -> str:
    """Return the ledger's partition for what people did to a run or another thing of a tenant, or to what is nobody's.

    Args:
        tenant_id: whose; None for what is no tenant's, such as kill switches.
        subject: the run's id, or one of the subjects in `pentad.api.acts.subjects`.
    """
    return f"{'SYS' if tenant_id is None else tenant_prefix(tenant_id)}#ACTS#{subject}"


def heads_pk(day: str, shard: int | str) -> str:
    """Return the place in the ledger's index of the ends of chains whose last entry is of a day, UTC."""
    return f"SYS#HEADS#{day}#{shard}"


def budget_pk(tenant_id: str, scope: str, subject: str) -> str:
    """Return the partition of what one subject (a run, session, user, agent or the tenant) has used of its budgets.

    A user is named by the hash of the id: what was used outlives the user's erasure.
    """
    named = hash_user(subject) if scope == "user" else subject
    return f"T#{tenant_id}#BUDGET#{scope}#{named}"


def budget_sk(scope: str, period: str, subject: str) -> str:
    """Return the sort key of a budget's definition, in the collection BUDGETS."""
    return f"{scope}#{period}#{subject}"


def spend_pk(tenant_id: str, dimension: str) -> str:
    """Return the partition of a tenant's spend counters of one kind: TOTAL, USER, SESSION or RUN."""
    return f"T#{tenant_id}#SPEND#{dimension}"


def cached_reply_pk(tenant_id: str, digest: str) -> str:
    """Return the partition of a reply that is kept for exact repeats; ``digest`` is hex."""
    return f"T#{tenant_id}#CACHE#{digest}"


def cached_replies_pk(tenant_id: str, user_hash: str) -> str:
    """Return the partition that lists the kept replies to what a user's runs asked; the user is named by a hash."""
    return cached_reply_pk(tenant_id, f"USER#{user_hash}")


def notice_pk(tenant_id: str, approval_id: str) -> str:
    """Return the partition of the notices that were sent of an approval."""
    return f"T#{tenant_id}#NOTICE#{approval_id}"


def alert_pk(alert_id: str) -> str:
    """Return the partition of the targets that an alert was sent to; it is no tenant's."""
    return f"SYS#ALERT#{alert_id}"


def spend_sk(day: str, value: str, shard: int) -> str:
    """Return the sort key of a spend counter: its day (YYYY-MM-DD, UTC), of what it counts, and which part it is."""
    return f"{day}#{value}#{shard:02d}"


# Patterns of partition keys of all tenants, as IAM compares them (``dynamodb:LeadingKeys``, where ``*`` stands for any
# characters). Each is made by the key's own function, so a role's grant follows the key.


def session_pattern() -> str:
    """Return the pattern of the partitions of sessions, their messages and leases."""
    return session_pk(_ANY, _ANY)


def run_pattern() -> str:
    """Return the pattern of the partitions of runs, in the state table and in the ledger."""
    return run_pk(_ANY, _ANY)


def audit_pattern() -> str:
    """Return the pattern of the ledger's partitions for audits."""
    return audit_pk(_ANY, _ANY)


def acts_pattern() -> str:
    """Return the pattern of the ledger's partitions for what people did."""
    return acts_pk(_ANY, _ANY)


def heads_pattern() -> str:
    """Return the pattern of the places in the ledger's index of the ends of chains."""
    return heads_pk(_ANY, _ANY)


def ledger_day_pattern() -> str:
    """Return the pattern of the ledger's partitions for attempts that belong to no run."""
    return ledger_day_pk(_ANY, _ANY)


def collection_pattern(kind: str) -> str:
    """Return the pattern of the partitions of one kind of list, such as KEYS or DOCS."""
    return collection_pk(_ANY, kind)


def user_pattern() -> str:
    """Return the pattern of the partitions of what is remembered of users."""
    return user_pk(_ANY, _ANY)


def erasures_pattern() -> str:
    """Return the pattern of the partitions of receipts of erasures."""
    return erasures_pk(_ANY, _ANY)


def call_order_pattern() -> str:
    """Return the pattern of the partitions of turns among calls."""
    return call_order_pk(_ANY)


def done_pattern(kind: str) -> str:
    """Return the pattern of the partitions of marks beside records of a kind."""
    return done_pk(_ANY, kind)


def document_pattern() -> str:
    """Return the pattern of the partitions of documents' chunks."""
    return f"{collection_pk(_ANY, 'DOC')}#{_ANY}"


def graph_pattern() -> str:
    """Return the pattern of the partitions of LangGraph threads."""
    return graph_pk(_ANY, _ANY)


def budget_pattern() -> str:
    """Return the pattern of the partitions of budgets' uses."""
    return f"{collection_pk(_ANY, 'BUDGET')}#{_ANY}"


def spend_pattern() -> str:
    """Return the pattern of the partitions of spend counters."""
    return spend_pk(_ANY, _ANY)


def user_spend_pattern() -> str:
    """Return the pattern of the partitions of users' spend counters."""
    return spend_pk(_ANY, "USER")


def cached_reply_pattern() -> str:
    """Return the pattern of the partitions of replies that are kept for exact repeats."""
    return cached_reply_pk(_ANY, _ANY)


def notice_pattern() -> str:
    """Return the pattern of the partitions of notices that were sent."""
    return notice_pk(_ANY, _ANY)


def alert_pattern() -> str:
    """Return the pattern of the partitions of alerts that were sent."""
    return alert_pk(_ANY)


# What sort keys of one kind begin with, and keys that are one item's.
META = "META"
ACT = "ACT#"
APPROVAL = "APPROVAL#"
ATTEMPT = "ATTEMPT#"
AUDIT = "AUDIT#"
CALL = "CALL#"
CHECKPOINT, CHECKPOINT_VALUE, CHECKPOINT_WRITE = "C#", "V#", "W#"
CHILD = "CHILD#"
CHUNKS = "CHUNKS#"
EFFECT = "EFFECT#"
FACT = "FACT#"
FEEDBACK = "FEEDBACK#"
FEEDBACK_LIST = "FEEDBACK"
VERDICT_LIST = "VERDICTS"
FACTS = "FACTS"
FORGOTTEN = "FORGOTTEN#"
LEARNED = "LEARNED#"
MESSAGE = "M#"
ORDER_OF_RECORD, ORDER_OF_SESSION = "#RECORD#", "#SESSION#"
RESULT = "RESULT#"
SESSION_RUN = "RUN#"
STEP = "STEP#"
SUM, SUM_CALL = "SUM#", "CALL#"
SUMMARY = "SUMMARY#"
UNDO = "UNDO#"
GRAPH_NODES = "NODES#"
PLAN = "PLAN"
LEASE = "LEASE"
REMEMBERED = "REMEMBERED"
SAID = "SAID#"
BREAKER = "SYS#BREAKER"
SWITCH = "SYS#SWITCH"
DRILL = "SYS#DRILL"
TOOL_RATES = "SYS#TOOLRATES"
_ANY = "*"
