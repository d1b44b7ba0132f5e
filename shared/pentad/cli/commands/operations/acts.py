"""What operators do by the command line, in the audit: before it is done, and what came of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pentad.cli import operator
from pentad.cli.console import ERR, CommandError
from pentad.cli.screen import build_line
from pentad.domain.errors import PentadError

if TYPE_CHECKING:
    from pentad.api.acts.ports import ActLog
    from pentad.aws.sealed import SealedLog, SealKey

_DONE = 200
_REFUSED = 400
_FAILED = 500


@dataclass
class OperatorAct:
    """What an operator does.

    Attributes:
        target: to what, as the second entry names it.
    """

    target: str


@contextmanager
def record_act(
    stage: str | None, subject: str, name: str, target: str, *, tenant_id: str | None = None, is_stop: bool = False
) -> Iterator[OperatorAct]:
    """Record what is done within the block: that it was asked for, and how it ended.

    Args:
        stage: a deployed stage; None for the twin.
        subject: one of the subjects in `pentad.api.acts.subjects`.
        name: what is done, such as ``revoke_key``.
        target: to what.
        tenant_id: whose; None for what is no tenant's.
        is_stop: it stops something and is done also where it can't be recorded, which the operator is told: whoever
            breaks the audit, or has no right to write it, must not be able to keep everything running.

    Raises:
        StoreUnavailable: it could not be recorded, and was not done.
    """
    from pentad.domain.ids import check_id, make_id

    if tenant_id is not None:
        check_id("tenant", tenant_id)
    act, request_id = OperatorAct(target), make_id("opr", datetime.now(UTC))
    try:
        append_act(stage, subject, name, target, None, request_id, tenant_id)
    except (PentadError, CommandError) as error:
        if not is_stop:
            raise
        _warn("the audit could not record it; it was done anyway", error)
    try:
        yield act
    except Exception as error:
        status = _REFUSED if isinstance(error, CommandError) else _find_status(error)
        _append_end(stage, subject, name, act.target, status, request_id, tenant_id)
        raise
    _append_end(stage, subject, name, act.target, _DONE, request_id, tenant_id)


def append_act(
    stage: str | None,
    subject: str,
    name: str,
    target: str,
    status: int | None,
    request_id: str,
    tenant_id: str | None,
) -> None:
    """Append one entry; without a status the one that says that it was asked for.

    Raises:
        StoreUnavailable: a store did not answer.
        CommandError: the deployment, or who asks, can't be found out.
    """
    from pentad.api.acts.ports import MAX_TARGET, Act
    from pentad.domain.runs import Actor

    who = Actor(key_id="aws", person=operator.find_operator(stage)[:200], at=datetime.now(UTC))
    fields: dict[str, Any] = {"tenant": tenant_id, "subject": subject, "name": name, "target": target[:MAX_TARGET]}
    ended = {"stage": "asked"} if status is None else {"stage": "ended", "status": status}
    _open_acts(stage).append(Act.model_validate(fields | ended | {"actor": who, "request_id": request_id}))


def open_audit(stage: str | None) -> "SealedLog":
    """Return the audit's chains, which the operator signs and checks with the deployment's key.

    Raises:
        CommandError: the stage is not deployed where the credentials point, or no twin runs.
    """
    from pentad.aws.sealed import SealedLog

    return SealedLog(operator.open_table(stage, "LedgerTable"), open_key(stage))


def open_key(stage: str | None) -> "SealKey":
    """Return the key that signs the audit.

    Raises:
        CommandError: the stage is not deployed where the credentials point, or no twin runs.
    """
    from pentad.models.remote.adapters.mac_kms import KmsMacKey

    return KmsMacKey(operator.create_client("kms", stage), operator.get_output(stage, "AuditKey"))


def _open_acts(stage: str | None) -> "ActLog":
    from pentad.api.acts.adapters.acts_dynamodb import DynamoActs

    return DynamoActs(open_audit(stage))


def _append_end(
    stage: str | None, subject: str, name: str, target: str, status: int, request_id: str, tenant_id: str | None
) -> None:
    """Record what came of an act. Where that fails the act stands: that it was asked for is in the audit."""
    try:
        append_act(stage, subject, name, target, status, request_id, tenant_id)
    except (PentadError, CommandError) as error:
        _warn("the audit could not record how it ended", error)


def _find_status(error: Exception) -> int:
    from pentad.api.problems import status_of

    return int(status_of(error)) if isinstance(error, PentadError) else _FAILED


def _warn(what: str, error: Exception) -> None:
    ERR.print(build_line("[yellow]warning:[/] {what}: {error}", what=what, error=str(error)), soft_wrap=True)
