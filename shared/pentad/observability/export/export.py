"""Export spans in two steps, so that a target that is down keeps no other waiting and none gets a span twice for it.

A batch of log lines is cut into shares, one for each target, which wait in a queue. Each share is sent on its own, with
growing waits between its tries, and in the end goes to the dead-letter queue: nothing is lost silently.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from pentad.domain.errors import ConfigurationError, InvalidInput
from pentad.observability.export.annotations import build_annotations
from pentad.observability.export.dialects import convert_span
from pentad.observability.export.log_batch import SpanBatch, read_batch
from pentad.observability.export.otlp import encode_request
from pentad.observability.export.ports import OtlpSender, ShareQueue, TargetSecrets
from pentad.observability.export.targets import Target, build_address, build_resource

SHARE_BYTES = 180_000
"""Of a message's spans as JSON. SQS takes 256 KB (quotas of SQS), and a share is sent as one request."""


AddContents = Callable[[Iterable[Mapping[str, Any]]], Sequence[Mapping[str, Any]]]


class ShareSpans:
    """Cuts batches of log lines into the targets' shares.

    Args:
        targets: where spans go.
        queue: where the shares wait.
    """

    def __init__(self, targets: Sequence[Target], queue: ShareQueue) -> None:
        self._targets = targets
        self._queue = queue

    def __call__(self, event: Mapping[str, Any]) -> int:
        """Put the spans of an event of CloudWatch Logs into the queue, and return how many there were.

        Raises:
            InvalidInput: it is no such event.
            StoreUnavailable: the queue did not take all; again is safe, since a span's ids are its own.
        """
        batch = read_batch(event)
        for spans in _split_spans(batch.spans):
            for target in self._targets:
                share = {"target": target.name, "service": batch.service, "spans": spans}
                self._queue.put(json.dumps(share, separators=(",", ":")))
        return len(batch.spans)


class SendSpans:
    """Sends shares.

    Args:
        targets: where spans go.
        sender: sends a request.
        secrets: where the credentials are.
        secret_id: the secret with an object for each target.
        stage: of the deployment.
        region: AWS's.
        add_contents: returns spans with what was said, for targets that ask for it; None where no stage keeps any.
    """

    def __init__(
        self,
        targets: Sequence[Target],
        sender: OtlpSender,
        secrets: TargetSecrets,
        secret_id: str,
        *,
        stage: str,
        region: str,
        add_contents: AddContents | None = None,
    ) -> None:
        self._targets = {target.name: target for target in targets}
        self._sender = sender
        self._secrets = secrets
        self._secret_id = secret_id
        self._stage = stage
        self._region = region
        self._add_contents = add_contents

    def __call__(self, body: str) -> None:
        """Send one share. A share for a target that is configured no more is dropped: nobody wants it.

        Raises:
            InvalidInput: it is no share.
            ConfigurationError: the target refuses the credential or the request.
            TransientError: the target did not take it; again is safe.
        """
        name, batch = _read_share(body)
        target = self._targets.get(name)
        if target is None:
            return
        found = self._secrets.get_json(self._secret_id).get(name, {})
        to = build_address(target, found if isinstance(found, Mapping) else {}, self._region)
        resource = build_resource(target, batch.service, self._stage)
        spans: Sequence[Mapping[str, Any]] = batch.spans
        if target.contents and self._add_contents is not None:
            spans = self._add_contents(spans)
        try:
            self._sender.send(to, encode_request([convert_span(target, one) for one in spans], resource))
            # After the spans, some of which they are of. What is sent again replaces what is there.
            for request in build_annotations(target, to, batch.spans):
                self._sender.send_json(request.to, request.body)
        except ConfigurationError:
            self._secrets.forget(self._secret_id)  # it may have been rotated
            raise


def _read_share(body: str) -> tuple[str, SpanBatch]:
    try:
        share = json.loads(body)
        return str(share["target"]), SpanBatch(str(share["service"]), list(share["spans"]))
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInput("the message is not a batch of spans", field="body") from error


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
