"""Map sessions and messages to DynamoDB items, for the session store and for the start of a run.

A writer does three things in this order: ``spill_messages`` (so that no item ever points at nothing), then one
transaction of ``append_entries`` (the messages, and the head under the condition of its version). Both are repeatable.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from pydantic import TypeAdapter

from pentad.aws.readable import check_readable, from_stored
from pentad.aws.table import Item, Table
from pentad.domain import keys
from pentad.domain.errors import InvalidInput, InvalidTransition
from pentad.domain.knowledge import Passage, Utterance
from pentad.domain.memories.front import Remembered
from pentad.domain.messages import Message
from pentad.domain.usage import estimate_tokens
from pentad.domain.values import stored_name
from pentad.memory.objects.ports import ObjectStore
from pentad.memory.sessions.ports import Session, StoredMessage
from pentad.memory.tokens import Counter, estimate_message

INLINE_BODY_BYTES = 300 * 1024
"""A longer message goes to S3: DynamoDB's limit is 400 KB an item (Service quotas), and passages come later."""
INLINE_PASSAGES_BYTES = 64 * 1024
MAX_MESSAGES = 99
"""Messages of one append: a transaction has at most 100 entries, and one is the head."""

_PASSAGES = TypeAdapter(tuple[Passage, ...])
_RECALLED = TypeAdapter(tuple[Utterance, ...])


@dataclass(frozen=True)
class SpilledObject:
    """Content that goes to S3 before the item that names it."""

    key: str
    data: bytes


def make_head_item(session: Session) -> Item:
    """Return the item of a session's head."""
    return {
        "pk": keys.session_pk(session.tenant_id, session.session_id),
        "sk": keys.META,
        "type": "session",
        "gsi1pk": keys.collection_pk(session.tenant_id, "SESSIONS"),
        "gsi1sk": _updated_sk(session),
        "ttl": _to_epoch(session.expires_at),
        "tenant": session.tenant_id,
        "session": session.session_id,
        "agent": session.agent,
        "user": session.user_id,
        "version": session.version,
        "length": session.length,
        "epoch_first_seq": session.epoch_first_seq,
        "bare_before_seq": session.bare_before_seq,
        "estimated_tokens": session.estimated_tokens,
        "token_permille": session.token_permille,
        "fence": session.fence,
        "created_at": _format_time(session.created_at),
        "updated_at": _format_time(session.updated_at),
        "expires_at": _format_time(session.expires_at),
    }


def parse_session(item: Item) -> Session:
    """Return the session of a head's item.

    Raises:
        Unreadable: the item is not as it was stored.
    """
    with check_readable("the session"):
        return Session.model_validate(
            {name: item[name] for name in map(stored_name, Session.model_fields) if name in item}
        )


def make_message_item(tenant_id: str, session_id: str, stored: StoredMessage, ttl: int) -> Item:
    """Return the item of a message. Where `spill_of` returns something, the item refers to it.

    Args:
        tenant_id: the tenant.
        session_id: the session.
        stored: the message at its place.
        ttl: when the item may be removed, in epoch seconds.
    """
    spill = spill_of(tenant_id, session_id, stored.message)
    return {
        "pk": keys.session_pk(tenant_id, session_id),
        "sk": keys.message_sk(stored.seq),
        "type": "message",
        "ttl": ttl,
        "seq": stored.seq,
        "message_id": stored.message.message_id,
        "estimated_tokens": stored.estimated_tokens,
        "body": None if spill else stored.message.model_dump_json(),
        "spill": spill.key if spill else None,
        "recalled": dump_recalled(stored.recalled) if stored.recalled else None,
        "remembered": None if stored.remembered is None else stored.remembered.model_dump_json(),
    } | make_passages_attributes(tenant_id, session_id, stored.message.message_id, stored.passages)


def dump_recalled(recalled: Sequence[Utterance]) -> str:
    """Return the attribute of what of earlier conversations was given with a message: some kilobytes at most."""
    return _RECALLED.dump_json(tuple(recalled)).decode()


def load_message(item: Item, fetch: Callable[[str], bytes]) -> StoredMessage:
    """Return the message of an item.

    Args:
        item: the item.
        fetch: returns the content of a spilled key.

    Raises:
        Unreadable: the item is not as it was stored.
    """
    with check_readable(f"message {item.get('seq')} of the session"):
        body: Any = item["body"] if "body" in item else fetch(item["spill"])
        passages: Any = item.get("passages", "[]")
        if "passages_spill" in item:
            passages = fetch(item["passages_spill"])
        return StoredMessage(
            seq=int(item["seq"]),
            message=from_stored(Message, body),
            passages=_PASSAGES.validate_json(passages),
            recalled=_RECALLED.validate_json(item.get("recalled", "[]")),
            remembered=from_stored(Remembered, item["remembered"]) if "remembered" in item else None,
            estimated_tokens=int(item["estimated_tokens"]),
        )


def spill_of(tenant_id: str, session_id: str, message: Message) -> SpilledObject | None:
    """Return what has to be in S3 before the message's item is written, or None where the item holds it."""
    body = message.model_dump_json().encode()
    if len(body) <= INLINE_BODY_BYTES:
        return None
    return SpilledObject(_spill_key(tenant_id, session_id, message.message_id, body), body)


def spill_messages(objects: ObjectStore, tenant_id: str, session_id: str, messages: Sequence[Message]) -> None:
    """Write what the messages' items will refer to.

    Raises:
        StoreUnavailable: the store did not answer.
    """
    for message in messages:
        spill = spill_of(tenant_id, session_id, message)
        if spill is not None:
            objects.put(spill.key, spill.data, media_type="application/json")


def passages_spill(
    tenant_id: str, session_id: str, message_id: str, passages: Sequence[Passage]
) -> SpilledObject | None:
    """Return what has to be in S3 before the passages' attribute is written, or None where the item holds them."""
    body = _PASSAGES.dump_json(tuple(passages))
    if len(body) <= INLINE_PASSAGES_BYTES:
        return None
    return SpilledObject(_spill_key(tenant_id, session_id, f"{message_id}.passages", body), body)


def make_passages_attributes(tenant_id: str, session_id: str, message_id: str, passages: Sequence[Passage]) -> Item:
    """Return the attributes that hold a message's passages; none where there are none."""
    if not passages:
        return {}
    spill = passages_spill(tenant_id, session_id, message_id, passages)
    if spill is not None:
        return {"passages_spill": spill.key}
    return {"passages": _PASSAGES.dump_json(tuple(passages)).decode()}


def compute_append(
    head: Session, messages: Sequence[Message], now: datetime, count: Counter = estimate_tokens
) -> tuple[Session, tuple[StoredMessage, ...]]:
    """Return the head after an append, and the messages at their places. The session's time to live starts anew.

    For a new session, give a head with version 0, length 0 and ``expires_at = updated_at + session_days``.

    Raises:
        InvalidInput: none, or more messages than one transaction holds.
    """
    if not 1 <= len(messages) <= MAX_MESSAGES:
        raise InvalidInput(
            f"an append takes 1 to {MAX_MESSAGES} messages, not {len(messages)}",
            field="messages",
            fix="append them in several parts",
        )
    stored = tuple(
        StoredMessage(seq=head.length + index, message=message, estimated_tokens=estimate_message(message, count))
        for index, message in enumerate(messages)
    )
    # The lifetime is not a field of its own: it is what the last writer left between its time and the expiry.
    lifetime = head.expires_at - head.updated_at
    after = head.model_copy(
        update={
            "version": head.version + 1,
            "length": head.length + len(messages),
            "estimated_tokens": head.estimated_tokens + sum(one.estimated_tokens for one in stored),
            "updated_at": now,
            "expires_at": now + lifetime,
        }
    )
    return after, stored


def check_fence(head: Session, fence: int | None) -> None:
    """Return if a run with this fencing token may still write to its session.

    A newer holder changes the head's version in the write that changes its fence. So whoever writes under the version
    of the head that was looked at here is fenced as well.

    Raises:
        InvalidTransition: a newer run has taken the session over.
    """
    if fence is not None and fence < head.fence:
        raise InvalidTransition("another run has taken over the session", field="session")


def append_entries(table: Table, before: Session, after: Session, stored: Sequence[StoredMessage]) -> list[Item]:
    """Return the entries of the transaction that appends: the head first, then the messages.

    Args:
        table: the state table.
        before: the head as it was read; version 0 means that there was none and it is put.
        after: the head as `grown` returned it.
        stored: the messages as `grown` returned them.
    """
    ttl = _to_epoch(after.expires_at)
    # An expired item may stand for two days until DynamoDB removes it; it must not block a session that starts anew.
    free: Item = {
        "condition": "attribute_not_exists(pk) OR #ttl < :now",
        "names": {"#ttl": "ttl"},
        "values": {":now": _to_epoch(after.updated_at)},
    }
    messages = [
        table.build_put(make_message_item(after.tenant_id, after.session_id, one, ttl), **free) for one in stored
    ]
    return [_build_head_entry(table, before, after), *messages]


def _build_head_entry(table: Table, before: Session, after: Session) -> Item:
    if before.version == 0:
        free = "attribute_not_exists(pk) OR #version = :none"
        return table.build_put(
            make_head_item(after), condition=free, names={"#version": "version"}, values={":none": 0}
        )
    # An update, so that an epoch begun meanwhile is kept; begin_epoch does not move the version.
    return table.build_update(
        keys.session_pk(after.tenant_id, after.session_id),
        keys.META,
        "SET #version = :version, #length = :length, updated_at = :updated, expires_at = :expires, gsi1sk = :sk,"
        " #ttl = :ttl, fence = :fence, token_permille = :permille ADD estimated_tokens :tokens",
        condition="#version = :expected",
        names={"#version": "version", "#length": "length", "#ttl": "ttl"},
        values={
            ":expected": before.version,
            ":version": after.version,
            ":length": after.length,
            ":fence": after.fence,
            ":permille": after.token_permille,
            ":updated": _format_time(after.updated_at),
            ":expires": _format_time(after.expires_at),
            ":sk": _updated_sk(after),
            ":ttl": _to_epoch(after.expires_at),
            ":tokens": after.estimated_tokens - before.estimated_tokens,
        },
    )


def _spill_key(tenant_id: str, session_id: str, name: str, data: bytes) -> str:
    # The content's hash is part of the key: a late writer that loses the race must not change what the winner's item
    # refers to. The same content gives the same key, so a retry overwrites its own object.
    digest = hashlib.sha256(data).hexdigest()[:16]
    return f"spill/{tenant_id}/{session_id}/{quote(name, safe='')}-{digest}"


def _updated_sk(session: Session) -> str:
    return f"{_format_time(session.updated_at)}#{session.session_id}"


def _format_time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _to_epoch(at: datetime) -> int:
    return int(at.timestamp())
