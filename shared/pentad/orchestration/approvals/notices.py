"""Send notices to humans: that something waits for them and where to decide, never what it is about.

The stores' events go over the bus; a function sends each to the channels of its group. A task token, arguments, a draft
or a question are in no notice: whoever may see those has a credential and follows the link.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from pentad.domain.declarations.asking import GROUP_PATTERN
from pentad.domain.errors import ConfigurationError, InvalidInput, PentadError, StoreUnavailable, TransientError
from pentad.domain.ids import AgentName, RunId, TenantId
from pentad.domain.reading.json_text import read_message_body
from pentad.domain.runs import Approval, ApprovalStatus
from pentad.domain.values import FrozenValue
from pentad.observability.metrics import names
from pentad.observability.metrics.table import OTHER
from pentad.observability.ports import Telemetry
from pentad.orchestration.approvals.decision_rules import count_escalations
from pentad.orchestration.approvals.ports import Notice, NoticeLog, Notifier

EVENTS = "pentad.approval."
"""What the detail types of these events begin with."""
Kind = Literal["requested", "reminded", "escalated", "decided"]
ANY_GROUP = "*"


class Announcement(FrozenValue, extra="ignore"):
    """The detail of an event on the bus: references only."""

    tenant: TenantId
    approval: str = Field(pattern=r"^apr_[0-9a-z]{26}_[0-9]{5}$")
    run: RunId
    agent: AgentName
    kind: Literal["calls", "answer", "question", "escalation"]
    group: str = Field(pattern=GROUP_PATTERN)
    event: Kind
    number: str = Field(pattern=r"^[0-9]{1,4}-[0-9]{1,6}$", description="tells the events of one approval apart")
    status: ApprovalStatus
    expires_at: datetime

    @property
    def key(self) -> str:
        """What tells this event from the approval's others, the same on each redelivery."""
        return f"{self.event}-{self.number}"


def build_announcement(approval: Approval) -> tuple[str, dict[str, Any]]:
    """Return the detail type and the detail of the event that tells where an approval stands; a repeat is the same."""
    handed_on = count_escalations(approval)
    event: Kind = "requested"
    if approval.status is not ApprovalStatus.PENDING:
        event = "decided"
    elif approval.reminded:
        event = "reminded"
    elif handed_on:
        event = "escalated"
    detail = Announcement(
        tenant=approval.tenant_id,
        approval=approval.approval_id,
        run=approval.run_id,
        agent=approval.agent,
        kind=approval.kind,
        group=approval.group,
        event=event,
        number=f"{handed_on}-{approval.reminded}",
        status=approval.status,
        expires_at=approval.expires_at,
    )
    return f"{EVENTS}{event}", detail.model_dump(mode="json")


def read_announcement(body: str) -> Announcement:
    """Return what a message of the queue tells: an event of the bus.

    Raises:
        InvalidInput: it is not one.
    """
    try:
        return Announcement.model_validate(read_message_body(body)["detail"])
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidInput("the message is not an approval event", field="body") from error


_SUBJECTS: Mapping[Kind, str] = {
    "requested": "{what} of {agent}: a decision is needed",
    "reminded": "Reminder: {what} of {agent} still needs a decision",
    "escalated": "Escalated to {group}: {what} of {agent} needs a decision",
    "decided": "{what} of {agent}: {status}",
}
_WHAT = {"calls": "Tool calls", "answer": "A drafted answer", "question": "A question", "escalation": "An escalation"}


def build_notice(told: Announcement, link_base: str) -> Notice:
    """Return what humans are told of an event.

    Args:
        told: the event.
        link_base: what the approval's id is put behind.
    """
    link = f"{link_base.rstrip('/')}/{told.approval}"
    words = {"what": _WHAT[told.kind], "agent": told.agent, "group": told.group, "status": told.status.value}
    subject = f"[Pentad] {_SUBJECTS[told.event].format(**words)}"[:100]
    lines = [subject, "", f"Reference: {told.approval}", f"Group: {told.group}"]
    if told.event != "decided":
        lines += [f"Open until: {told.expires_at:%Y-%m-%d %H:%M} UTC", f"Decide: {link}"]
    else:
        lines += [f"Outcome: {told.status.value}", f"Details: {link}"]
    lines += ["", "The details are shown only there."]
    return Notice(reference=told.approval, group=told.group, subject=subject, text="\n".join(lines), link=link)


class Notify:
    """Sends the notice of an event to the channels of its group, each once.

    Args:
        channels: by name.
        groups: the names of each group's channels; ``*`` stands for any group that is not named.
        log: what was sent.
        telemetry: metrics and logs.
        link_base: what an approval's id is put behind.
    """

    def __init__(
        self,
        channels: Mapping[str, Notifier],
        groups: Mapping[str, Sequence[str]],
        log: NoticeLog,
        telemetry: Telemetry,
        *,
        link_base: str,
    ) -> None:
        self._channels = channels
        self._groups = groups
        self._log = log
        self._telemetry = telemetry
        self._link_base = link_base

    def __call__(self, told: Announcement) -> None:
        """Send; a channel that fails does not hinder the others, and is tried again with the event.

        Raises:
            Exception: of the first channel that failed, once all were tried; a transient one where there is one, so
                that the event comes back.
        """
        notice = build_notice(told, self._link_base)
        failures: list[Exception] = []
        for name in self._groups.get(told.group, self._groups.get(ANY_GROUP, ())):
            try:
                self._send(name, told, notice)
            except Exception as error:  # also one that nobody expected: the other channels tell all the same
                failures.append(error)
                detail = error.message if isinstance(error, PentadError) else None
                kind = name if name in self._channels else OTHER
                self._telemetry.count(names.NOTICES, kind=kind, outcome="failed")
                self._telemetry.log_event(
                    "notice.failed", level="WARNING", channel=name, error=type(error).__name__, detail=detail
                )
        if failures:
            raise next((one for one in failures if isinstance(one, TransientError)), failures[0])

    def _get_channel(self, name: str) -> Notifier:
        channel = self._channels.get(name)
        if channel is None:
            raise ConfigurationError(f"no channel '{name}'", fix="use topic, slack, and email with a sender")
        return channel

    def _send(self, name: str, told: Announcement, notice: Notice) -> None:
        place = f"{told.key}#{name}"
        if not self._log.acquire(told.tenant, told.approval, place):
            return
        try:
            sent = self._get_channel(name).send(notice)
        except BaseException:  # whatever it was, the next delivery must be free to try again
            self._log.release(told.tenant, told.approval, place)
            raise
        if not sent:
            self._log.release(told.tenant, told.approval, place)
            self._telemetry.log_event("notice.not_set_up", level="WARNING", channel=name, group=told.group)
            self._telemetry.count(names.NOTICES, kind=name, outcome="not_set_up")
            return
        try:
            self._log.mark_sent(told.tenant, told.approval, place)
        except StoreUnavailable:
            # It is sent. The claim holds redeliveries off for a while; to fail here would send it again at once.
            self._telemetry.log_event("notice.not_kept", level="WARNING", channel=name)
        self._telemetry.count(names.NOTICES, kind=name, outcome="sent")
