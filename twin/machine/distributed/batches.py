"""What child executions get: an item each, or a batch of items.

Source: "ItemBatcher (Map)" of the Step Functions developer guide: a batch is ``{"Items": [...]}``, with ``BatchInput``
where the state has one, and keeps within both of its limits.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from twin.machine.encoding import MAX_BYTES, dump_json

_COMMA: Final = 1


class ChildInput(NamedTuple):
    """The input of a child execution: its JSON, and how many items are in it."""

    text: str
    items: int


class BatchingError(Exception):
    """A limit is no positive whole number, or an item is larger than a batch may be."""


@dataclass(frozen=True)
class BatchLimits:
    """What one batch may be.

    Attributes:
        items: at most so many; None for as many as fit.
        bytes: of the whole input.
        common: ``BatchInput``; None where there is none.
    """

    items: int | None
    bytes: int
    common: Any


def read_limits(batcher: dict[str, Any]) -> BatchLimits:
    """Return the limits of an ``ItemBatcher``, evaluated.

    Raises:
        BatchingError: one is no positive whole number.
    """
    given: dict[str, int | None] = {}
    for field in ("MaxItemsPerBatch", "MaxInputBytesPerBatch"):
        try:
            limit = int(batcher[field]) if field in batcher else None
        except (TypeError, ValueError) as error:
            raise BatchingError(f"'{field}' is not a whole number: {dump_json(batcher[field])}") from error
        if limit is not None and limit < 1:
            raise BatchingError(f"'{field}' must be positive, and is {limit}")
        given[field] = limit
    size = min(given["MaxInputBytesPerBatch"] or MAX_BYTES, MAX_BYTES)
    return BatchLimits(given["MaxItemsPerBatch"], size, batcher.get("BatchInput"))


def build_inputs(items: Iterable[str], limits: BatchLimits | None) -> Iterator[ChildInput]:
    """Yield the inputs of child executions in the order of the items.

    Args:
        items: JSON of each item.
        limits: of a batch; None where each item has an execution of its own.

    Raises:
        BatchingError: an item is larger than a batch may be.
    """
    if limits is None:
        yield from (ChildInput(item, 1) for item in items)
        return
    head = "{" if limits.common is None else f'{{"BatchInput":{dump_json(limits.common)},'
    empty = len(f'{head}"Items":[]}}'.encode())
    batch: list[str] = []
    size = empty
    for item in items:
        length = len(item.encode("utf-8", "surrogatepass")) + _COMMA
        if empty + length - _COMMA > limits.bytes:
            raise BatchingError(f"An item has more bytes than a batch may have: {limits.bytes}.")
        if batch and (size + length - _COMMA > limits.bytes or len(batch) == limits.items):
            yield ChildInput(f'{head}"Items":[{",".join(batch)}]}}', len(batch))
            batch, size = [], empty
        batch.append(item)
        size += length
    if batch:
        yield ChildInput(f'{head}"Items":[{",".join(batch)}]}}', len(batch))
