"""SQS event source mappings: receive with the function's role, invoke, delete what succeeded."""

import json
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from twin.deploy.deployment import QueueMapping
from twin.moto_patches.hooks import seconds_until_message
from twin.pumps.courier import Connect
from twin.pumps.queues.records import build_record, match_filters, parse_failures

logger = logging.getLogger(__name__)

JsonObject = dict[str, Any]

_RECEIVE_LIMIT = 10
#: AWS starts with five pollers and grows to 1,000; a laptop stays at the start.
_CONCURRENCY = 5
_ERROR_DELAY = 2.0
_STOP_SECONDS = 5.0
#: A look now and then, in case a message appeared without a hook's notice (restored state, another tool).
_IDLE_SECONDS = 20.0


@dataclass(frozen=True)
class FunctionAnswer:
    """What an invocation gave: the payload, and the error kind if the function failed."""

    payload: bytes
    error: str | None


InvokeFunction = Callable[[str, bytes], FunctionAnswer]
"""Invokes a function and waits. Raises nothing: a refusal is an error too."""

UntilMessage = Callable[[str], float | None]


class QueueMappingPump:
    """Runs one mapping: a dispatcher thread, and as many invocations at once as the mapping allows."""

    def __init__(
        self,
        mapping: QueueMapping,
        connect: Connect,
        invoke: InvokeFunction,
        *,
        until_message: UntilMessage = seconds_until_message,
        error_delay: float = _ERROR_DELAY,
    ) -> None:
        self._mapping, self._connect, self._invoke = mapping, connect, invoke
        self._until_message, self._error_delay = until_message, error_delay
        self._limit = mapping.maximum_concurrency or _CONCURRENCY
        self._changed = threading.Condition()
        self._signals = 0
        self._active = 0
        self._stopped = False
        self._problem: str | None = None
        self._queue_url = ""
        self._client: Any = None
        self._pool = ThreadPoolExecutor(self._limit, thread_name_prefix=f"queue-{mapping.uuid[:8]}")
        self._thread = threading.Thread(target=self._run, name=f"queue-{mapping.uuid[:8]}", daemon=True)

    @property
    def queue_arn(self) -> str:
        """The queue the mapping reads."""
        return self._mapping.queue_arn

    def start(self) -> None:
        """Start reading, unless the mapping is disabled."""
        if self._mapping.enabled:
            self._thread.start()

    def notify(self) -> None:
        """Tell that the queue has changed."""
        with self._changed:
            self._signals += 1
            self._changed.notify_all()

    def is_idle(self) -> bool:
        """Tell whether no invocation is under way."""
        with self._changed:
            return not self._active

    def stop(self) -> None:
        """Stop reading; batches under way end on their own or with the functions."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        if self._thread.ident is not None:
            self._thread.join(_STOP_SECONDS)
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _run(self) -> None:
        while not self._stopped:
            try:
                self._poll()
            except (ClientError, BotoCoreError) as error:
                self._report(f"PROBLEM: {error}")
                self._wait_for_change(self._error_delay)
            except Exception:  # boundary: whatever happens to one batch, the mapping goes on
                logger.exception("mapping of %s to %s", self._mapping.queue_arn, self._mapping.function)
                self._wait_for_change(self._error_delay)

    def _poll(self) -> None:
        if self._client is None:
            self._open()
        if not self._wait_for_work():
            return
        messages = self._collect()
        self._report(None)
        if messages:
            with self._changed:
                self._active += 1
            self._pool.submit(self._process, messages)

    def _open(self) -> None:
        client = self._connect("sqs", self._mapping.role_arn)
        account, name = self._mapping.queue_arn.split(":")[4:6]
        url = f"{client.meta.endpoint_url.rstrip('/')}/{account}/{name}"
        # Lambda needs this right of the role too, and refuses the mapping without it.
        client.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])
        self._client, self._queue_url = client, url

    def _wait_for_work(self) -> bool:
        """Wait until a message can be received and an invocation may start; False to look again."""
        with self._changed:
            seen = self._signals
            if self._active >= self._limit:
                self._changed.wait(_IDLE_SECONDS)
                return False
        delay = self._until_message(self._mapping.queue_arn)
        if delay == 0:
            return True
        with self._changed:
            if self._signals == seen and not self._stopped:
                self._changed.wait(_IDLE_SECONDS if delay is None else min(delay, _IDLE_SECONDS))
        return False

    def _collect(self) -> list[JsonObject]:
        """Receive until the batch is full or its window has passed; without a window, what is there now."""
        deadline = time.monotonic() + self._mapping.window
        messages: list[JsonObject] = []
        while not self._stopped:
            seen = self._signals  # read before the queue: what comes after the look must not wait for the window's end
            room = self._mapping.batch_size - len(messages)
            received = self._receive(min(room, _RECEIVE_LIMIT))
            messages.extend(received)
            full = len(messages) >= self._mapping.batch_size
            left = deadline - time.monotonic()
            if full or (left <= 0 and (self._mapping.window or not received or room <= _RECEIVE_LIMIT)):
                break
            if not received:
                self._wait_for_change(left, seen)
        return messages

    def _receive(self, count: int) -> list[JsonObject]:
        answer = self._client.receive_message(
            QueueUrl=self._queue_url,
            MaxNumberOfMessages=count,
            WaitTimeSeconds=0,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        received: list[JsonObject] = answer.get("Messages", [])
        return received

    def _process(self, messages: list[JsonObject]) -> None:
        try:
            self._delete(self._invoke_batch(messages))
        except (ClientError, BotoCoreError) as error:
            self._report(f"PROBLEM: {error}")
        except Exception:  # boundary: a worker's error would vanish in its future
            logger.exception("batch of %s for %s", self._mapping.queue_arn, self._mapping.function)
        finally:
            with self._changed:
                self._active -= 1
                self._changed.notify_all()

    def _invoke_batch(self, messages: list[JsonObject]) -> list[JsonObject]:
        """Invoke the function and return the messages that are done with."""
        records = {message["MessageId"]: build_record(message, self._mapping.queue_arn) for message in messages}
        chosen = {key: record for key, record in records.items() if match_filters(record, self._mapping.filters)}
        filtered = [message for message in messages if message["MessageId"] not in chosen]
        if not chosen:
            return filtered
        payload = json.dumps({"Records": list(chosen.values())}, separators=(",", ":")).encode()
        answer = self._invoke(self._mapping.function, payload)
        if answer.error is not None:
            failed = set(chosen)
        elif self._mapping.partial_failures:
            failed = parse_failures(answer.payload, list(chosen))
        else:
            failed = set()
        if failed:
            logger.warning(
                "%s: %d of %d messages of %s return after their visibility timeout: %s",
                self._mapping.function,
                len(failed),
                len(chosen),
                self._mapping.queue_arn,
                answer.error or "reported by the function",
            )
        return filtered + [m for m in messages if m["MessageId"] in chosen and m["MessageId"] not in failed]

    def _delete(self, messages: list[JsonObject]) -> None:
        for start in range(0, len(messages), _RECEIVE_LIMIT):
            entries = [
                {"Id": str(index), "ReceiptHandle": message["ReceiptHandle"]}
                for index, message in enumerate(messages[start : start + _RECEIVE_LIMIT])
            ]
            self._client.delete_message_batch(QueueUrl=self._queue_url, Entries=entries)

    def _report(self, problem: str | None) -> None:
        if problem != self._problem:
            self._problem = problem
            log = logger.info if problem is None else logger.error
            log("mapping of %s to %s: %s", self._mapping.queue_arn, self._mapping.function, problem or "OK")

    def _wait_for_change(self, seconds: float, seen: int | None = None) -> None:
        """Wait until the queue has changed, since `seen` where that is given, or the time is over."""
        with self._changed:
            if not self._stopped and seen in (None, self._signals):
                self._changed.wait(seconds)
