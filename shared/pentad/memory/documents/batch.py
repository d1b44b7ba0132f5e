"""A batch of documents that a bulk ingestion has listed, in one invocation of the function."""

from collections.abc import Mapping, Sequence
from typing import Any

from pentad.domain.errors import InvalidInput, TransientError
from pentad.domain.ids import check_id
from pentad.domain.values import FrozenValue
from pentad.memory.documents.ingest import Ingest, IngestOptions, Outcome

BATCH_DOCUMENTS = 10
"""How many share an invocation: the progress moves by as many, and what an invocation costs is shared by them."""
_BEGINNING = 1 / 3
"""The share of an invocation's time in which further documents are begun: the last one has the other two thirds."""


class Batch(FrozenValue):
    """Documents of one tenant.

    Attributes:
        tenant_id: the tenant.
        documents: their names.
        last: nobody tries again after this attempt; see `IngestOptions`.
        alone: an attempt before has failed, so that each is indexed by itself.
    """

    tenant_id: str
    documents: tuple[str, ...]
    last: bool = False
    alone: bool = False


def parse_batch(event: Mapping[str, Any]) -> Batch:
    """Return what a state machine asks for: ``Items`` with the ``key`` of each document, ``last`` and ``alone``.

    Raises:
        InvalidInput: it is no such event, or the keys are not all of one tenant.
    """
    try:
        keys = [item["key"].partition("/") for item in event["Items"]]
        [tenant] = {key[0] for key in keys}
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise InvalidInput("the event is no batch of one tenant's documents", field="Items") from error
    check_id("tenant", tenant)
    # A key that ends with a slash is a folder's mark, as some programs write it: there is no document.
    documents = tuple(name for _, _, name in keys if name and not name.endswith("/"))
    return Batch(
        tenant_id=tenant, documents=documents, last=event.get("last") is True, alone=event.get("alone") is True
    )


def run_batch(ingest: Ingest, batch: Batch, *, now: float, deadline: float) -> list[str]:
    """Index a batch and return the names of the documents that are left: their turn did not come, or they failed.

    Args:
        ingest: indexes.
        batch: the documents.
        now: ``time.time()``.
        deadline: ``time.time()`` by which to have embedded.

    Raises:
        TransientError: no document was finished, and with waiting one may be.
        Exception: no document was finished, nor will be.
    """
    outcomes = ingest.reconcile_many(
        batch.tenant_id,
        batch.documents,
        IngestOptions(deadline, batch.last),
        until=now + (deadline - now) * _BEGINNING,
        alone=batch.alone,
    )
    failed = {name: outcome for name, outcome in outcomes.items() if isinstance(outcome, Exception)}
    if failed and len(failed) == len(outcomes):
        raise _choose_error(outcomes)
    return [*(name for name in batch.documents if name not in outcomes), *failed]


def _choose_error(outcomes: Mapping[str, Outcome]) -> Exception:
    """Return the error by which all are tried again, where there is such a one."""
    errors = [outcome for outcome in outcomes.values() if isinstance(outcome, Exception)]
    return next((error for error in errors if isinstance(error, TransientError)), errors[0])


def name_left(batch: Batch, left: Sequence[str]) -> dict[str, list[dict[str, str]]]:
    """Return what is left as the state machine hands it in again."""
    return {"Items": [{"key": f"{batch.tenant_id}/{name}"} for name in left]}
