"""Export spans in two steps, so that a target that is down keeps no other waiting and none gets a span twice for it.

A batch of log lines is cut into shares, one for each target, which wait in a queue. Each share is sent on its own, with
growing waits between its tries, and in the end goes to the dead-letter queue: nothing is lost silently.
"""

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pentad.domain.errors import ConfigurationError, InvalidInput
from pentad.domain.reading.json_text import read_message_body
from pentad.observability.export.annotate import FIELD, SendAnnotations, name_annotations
from pentad.observability.export.circuits import TargetCircuits
from pentad.observability.export.log_batch import SpanBatch, read_batch
from pentad.observability.export.otlp import pack_request
from pentad.observability.export.ports import OtlpSender, ShareQueue, TargetSecrets
from pentad.observability.export.requests import SPAN_BYTES, EncodedSpan, cut_requests, drop_contents, encode_for
from pentad.observability.export.targets import Addressed, Target, build_address, build_resource
from pentad.observability.metrics import names
from pentad.observability.ports import Telemetry

SHARE_BYTES = 180_000
"""Of a message's spans as JSON. SQS takes 256 KB (quotas of SQS)."""
MOST_REFUSALS: Final = 32
"""Requests of a share that a target may refuse as malformed. One bad span of 1,000 costs eleven."""
_LONGEST_REASON: Final = 300
"""Characters of what a target says of spans that it did not take."""
AddContents = Callable[[Iterable[Mapping[str, Any]]], Sequence[Mapping[str, Any]]]


class ShareSpans:
    """Cuts batches of log lines into the targets' shares.

    Args:
        targets: where spans go.
        queue: where the shares wait.
        telemetry: tells of lines that can not be read.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        targets: Sequence[Target],
        queue: ShareQueue,
        telemetry: Telemetry,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._targets = targets
        self._queue = queue
        self._telemetry = telemetry
        self._clock = clock

    def __call__(self, event: Mapping[str, Any]) -> int:
        """Put the spans of an event of CloudWatch Logs into the queue, and return how many there were.

        Raises:
            InvalidInput: it is no such event.
            StoreUnavailable: the queue did not take all; again is safe, since a span's ids are its own.
        """
        batch = read_batch(event)
        if batch.unreadable:
            _tell_dropped(self._telemetry, batch.unreadable, "unreadable", source=batch.service)
        for spans in _split_spans(batch.spans):
            for target in self._targets:
                self._put({"target": target.name, "service": batch.service, "spans": spans})
                said = name_annotations(target, spans, self._clock())
                if said is not None:
                    self._put(said)
        return len(batch.spans)

    def _put(self, message: Mapping[str, Any]) -> None:
        self._queue.put(json.dumps(message, separators=(",", ":")))


class SendSpans:
    """Sends shares.

    Args:
        targets: where spans go.
        sender: sends a request.
        secrets: where the credentials are.
        secret_id: the secret with an object for each target.
        telemetry: tells of what a target did not take.
        annotate: sends what users say of answers.
        stage: of the deployment.
        region: AWS's.
        add_contents: returns spans with what was said, for targets that ask for it; None where no stage keeps any.
        circuits: of the targets.
    """

    def __init__(
        self,
        targets: Sequence[Target],
        sender: OtlpSender,
        secrets: TargetSecrets,
        secret_id: str,
        telemetry: Telemetry,
        annotate: SendAnnotations,
        *,
        stage: str,
        region: str,
        add_contents: AddContents | None = None,
        circuits: TargetCircuits | None = None,
    ) -> None:
        self._targets = {target.name: target for target in targets}
        self._sender = sender
        self._secrets = secrets
        self._secret_id = secret_id
        self._telemetry = telemetry
        self._annotate = annotate
        self._stage = stage
        self._region = region
        self._add_contents = add_contents
        self._circuits = circuits or TargetCircuits()

    def __call__(self, body: str) -> None:
        """Send one share, or annotations. What is for a target that is configured no more is dropped.

        Raises:
            InvalidInput: it is no share.
            ConfigurationError: the target refuses the credential or the request.
            TransientError: the target did not take it; again is safe.
        """
        share = _read_share(body)
        target = self._targets.get(str(share["target"]))
        if target is None:
            return
        found = self._secrets.get_json(self._secret_id).get(target.name, {})
        to = build_address(target, found if isinstance(found, Mapping) else {}, self._region)
        try:
            with self._circuits.guard(target.name):
                if FIELD in share:
                    self._annotate(target, to, share)
                else:
                    self._send_share(target, to, SpanBatch(str(share["service"]), share["spans"]))
        except ConfigurationError:
            self._secrets.forget(self._secret_id)  # it may have been rotated
            raise

    def _send_share(self, target: Target, to: Addressed, batch: SpanBatch) -> None:
        resource = build_resource(target, batch.service, self._stage)
        spans: Sequence[Mapping[str, Any]] = batch.spans
        if target.contents and self._add_contents is not None:
            spans = self._add_contents(spans)
        told = _Told()
        for group in cut_requests(self._iter_encoded(target, spans)):
            self._send_group(target, to, group, resource, told)
        if told.malformed and not told.taken:
            raise _refuse_share()  # no span is to blame then, but the target's address or what it wants
        if told.malformed:
            _tell_dropped(self._telemetry, told.malformed, "malformed", target=target.name)

    def _iter_encoded(self, target: Target, spans: Iterable[Mapping[str, Any]]) -> Iterator[EncodedSpan]:
        for span in spans:
            encoded = encode_for(target, span)
            if encoded is not None and len(encoded.body) > SPAN_BYTES and encoded.has_contents:
                encoded = self._without_contents(target, encoded)
            if encoded is None:
                _tell_dropped(self._telemetry, 1, "unreadable", target=target.name)
            else:
                yield encoded

    def _without_contents(self, target: Target, one: EncodedSpan) -> EncodedSpan | None:
        self._telemetry.log_event("export.contents_dropped", level="WARNING", target=target.name, spans=1)
        return encode_for(target, drop_contents(one.span))

    def _send_group(
        self,
        target: Target,
        to: Addressed,
        group: Sequence[EncodedSpan],
        resource: Mapping[str, Any],
        told: "_Told",
    ) -> None:
        """Send spans in one request; where it is too large or malformed in halves, so that one span keeps none back.

        One that is too large alone is sent without what was said.
        """
        receipt = self._sender.send(to, pack_request([one.body for one in group], resource))
        if receipt.rejected.spans or receipt.rejected.reason:
            self._tell_rejected(target, receipt.rejected.spans, receipt.rejected.reason)
        if receipt.malformed:
            told.refusals += 1
            if told.refusals > MOST_REFUSALS:
                raise _refuse_share()
        elif not receipt.too_large:
            told.taken += len(group)
            return
        if len(group) > 1:
            half = len(group) // 2
            self._send_group(target, to, group[:half], resource, told)
            self._send_group(target, to, group[half:], resource, told)
        elif receipt.malformed:
            told.malformed += 1
        elif group[0].has_contents and (smaller := self._without_contents(target, group[0])) is not None:
            self._send_group(target, to, [smaller], resource, told)
        else:
            _tell_dropped(self._telemetry, 1, "too_large", target=target.name)

    def _tell_rejected(self, target: Target, spans: int, reason: str) -> None:
        """Tell of a success in part. Again would not help (OTLP, "Partial Success"); a warning has no spans."""
        self._telemetry.log_event(
            "export.rejected", level="WARNING", target=target.name, spans=spans, reason=reason[:_LONGEST_REASON]
        )
        if spans:
            self._telemetry.count(names.SPANS_DROPPED, spans, outcome="rejected")


@dataclass
class _Told:
    """What a target has said of a share so far: spans taken, spans malformed, and requests refused as malformed."""

    taken: int = 0
    malformed: int = 0
    refusals: int = 0


def _refuse_share() -> ConfigurationError:
    return ConfigurationError(
        "the traces' target refused the request as malformed", fix="check its endpoint, its project and its secret"
    )


def _tell_dropped(telemetry: Telemetry, spans: int, reason: str, **fields: str) -> None:
    telemetry.log_event("export.dropped", level="WARNING", spans=spans, reason=reason, **fields)
    telemetry.count(names.SPANS_DROPPED, spans, outcome=reason)


def _read_share(body: str) -> dict[str, Any]:
    """Return a message as it was put: a share with spans, or annotations."""
    try:
        share = read_message_body(body)
        if isinstance(share["target"], str) and (FIELD in share or isinstance(share["spans"], list)):
            return dict(share)
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInput("the message is not a batch of spans", field="body") from error
    raise InvalidInput("the message is not a batch of spans", field="body")


def _split_spans(spans: Sequence[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Yield spans in lists of at most `SHARE_BYTES` of JSON; the log cuts each line at less."""
    cut: list[dict[str, Any]] = []
    size = 0
    for span in spans:
        length = len(json.dumps(span)) + 1
        if cut and size + length > SHARE_BYTES:
            yield cut
            cut, size = [], 0
        cut.append(span)
        size += length
    if cut:
        yield cut
