"""What humans are told of an approval, by which channels, and that each channel tells it once."""

import json
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from pentad.domain.errors import ConfigurationError, InvalidInput, StoreUnavailable, ToolUnavailable
from pentad.domain.ids import approval_id
from pentad.domain.runs import Approval, ApprovalStatus
from pentad.observability.adapters.memory import MemoryTelemetry
from pentad.orchestration.approvals.adapters.notify_log import MemoryNotices
from pentad.orchestration.approvals.decision_rules import Say, apply_say, apply_timeout
from pentad.orchestration.approvals.notices import (
    Announcement,
    Notify,
    build_announcement,
    build_notice,
    read_announcement,
)
from pentad.orchestration.approvals.ports import Notice
from tests.unit.orchestration.world import START, Clock

RUN = "run_" + "0" * 26
APPROVAL = Approval.model_validate(
    {
        "tenant": "acme",
        "approval": approval_id(RUN, 1),
        "run": RUN,
        "step": 1,
        "agent": "assistant",
        "session": "s1",
        "kind": "question",
        "status": "pending",
        "calls": (),
        "text": "What is the secret recipe?",
        "group": "clerks",
        "on_expiry": "escalate",
        "escalate_to": ("leads",),
        "remind_seconds": 600,
        "created_at": START,
        "expires_at": START + timedelta(hours=1),
    }
)


def _told(approval: Approval = APPROVAL) -> Announcement:
    return Announcement.model_validate(build_announcement(approval)[1])


class Channel:
    """A channel that keeps what it is sent, and fails as told."""

    def __init__(self, *failures: Exception, set_up: bool = True) -> None:
        self.sent: list[Notice] = []
        self.failures = list(failures)
        self.set_up = set_up

    def send(self, notice: Notice) -> bool:
        if self.failures:
            raise self.failures.pop(0)
        if self.set_up:
            self.sent.append(notice)
        return self.set_up


class Desk:
    """The service with channels of its own."""

    def __init__(self, **channels: Channel) -> None:
        self.channels = channels
        self.telemetry = MemoryTelemetry()
        self.clock = Clock()
        self.log = MemoryNotices(now=self.clock)
        groups = {"clerks": list(channels), "*": list(channels)[:1]}
        self.notify = Notify(channels, groups, self.log, self.telemetry, link_base="https://console.example/approvals/")

    def outcomes(self) -> list[tuple[str, str]]:
        return [(one.dimensions["kind"], one.dimensions["outcome"]) for one in self.telemetry.counts]


def test_each_event_has_a_name_and_a_number_of_its_own() -> None:
    reminded = apply_timeout(APPROVAL, START + timedelta(minutes=10))
    handed = apply_timeout(reminded, START + timedelta(hours=1))
    again = apply_timeout(handed, START + timedelta(hours=1, minutes=20))
    decided = apply_say(again, Say("answer", "ann", START + timedelta(hours=1, minutes=21), text="x"), {})
    steps = [APPROVAL, reminded, handed, again, decided]
    assert [build_announcement(one)[0] for one in steps] == [
        f"pentad.approval.{name}" for name in ("requested", "reminded", "escalated", "reminded", "decided")
    ]
    assert [_told(one).key for one in steps] == [
        "requested-0-0",
        "reminded-0-1",
        "escalated-1-0",
        "reminded-1-2",
        "decided-1-2",
    ]
    assert _told(handed).group == "leads"


def test_an_event_holds_references_only() -> None:
    _, detail = build_announcement(APPROVAL)
    assert set(detail) == {
        "tenant",
        "approval",
        "run",
        "agent",
        "kind",
        "group",
        "event",
        "number",
        "status",
        "expires_at",
    }
    assert "secret" not in json.dumps(detail)


def test_a_notice_has_the_link_the_reference_and_the_time() -> None:
    notice = build_notice(_told(), "https://console.example/approvals/")
    assert notice.subject == "[Pentad] A question of assistant: a decision is needed"
    for part in (
        APPROVAL.approval_id,
        "clerks",
        "2026-11-22 13:00 UTC",
        f"https://console.example/approvals/{APPROVAL.approval_id}",
    ):
        assert part in notice.text
    assert "secret" not in notice.text


def test_the_longest_names_fit_the_subject() -> None:
    told = _told().model_copy(update={"agent": "a" * 40, "group": "g" * 31, "event": "escalated"})
    assert len(build_notice(told, "https://x").subject) <= 100


@pytest.mark.parametrize("subject", ["a\r\nBcc: eve@example.org", "a\n", "\u202ea", "é", ""])
def test_a_subject_is_one_line_of_plain_characters(subject: str) -> None:
    with pytest.raises(ValidationError):
        Notice(reference="r", group="g", subject=subject, text="t", link="l")


def test_a_text_hides_nothing() -> None:
    notice = Notice(reference="r", group="g", subject="s", text="one\ntwo\x1b[2J\u202e", link="l")
    assert notice.text == "one\ntwo\\u001b[2J\\u202e"


def test_a_decision_is_told_with_its_outcome() -> None:
    told = _told(APPROVAL.model_copy(update={"status": ApprovalStatus.EXPIRED}))
    assert "expired" in build_notice(told, "https://x").text


def test_a_group_is_told_by_its_channels_and_another_by_the_default_ones() -> None:
    desk = Desk(topic=Channel(), slack=Channel())
    desk.notify(_told())
    desk.notify(_told().model_copy(update={"group": "board", "approval": approval_id(RUN, 2)}))
    assert (len(desk.channels["topic"].sent), len(desk.channels["slack"].sent)) == (2, 1)


def test_a_redelivered_event_is_sent_once() -> None:
    desk = Desk(topic=Channel(), slack=Channel())
    for _ in range(3):
        desk.notify(_told())
    assert [len(channel.sent) for channel in desk.channels.values()] == [1, 1]
    assert desk.outcomes() == [("topic", "sent"), ("slack", "sent")]


def test_a_channel_that_fails_hinders_no_other_and_is_alone_tried_again() -> None:
    desk = Desk(topic=Channel(ToolUnavailable("down")), slack=Channel(), email=Channel())
    with pytest.raises(ToolUnavailable):
        desk.notify(_told())
    desk.notify(_told())
    assert [len(channel.sent) for channel in desk.channels.values()] == [1, 1, 1]
    assert desk.outcomes() == [("topic", "failed"), ("slack", "sent"), ("email", "sent"), ("topic", "sent")]


def test_a_failure_that_may_pass_is_raised_before_one_that_will_not() -> None:
    desk = Desk(topic=Channel(ConfigurationError("wrong")), slack=Channel(ToolUnavailable("down")))
    with pytest.raises(ToolUnavailable):
        desk.notify(_told())


def test_a_channel_that_is_not_set_up_is_no_failure_and_sends_once_it_is() -> None:
    desk = Desk(topic=Channel(), slack=Channel(set_up=False))
    desk.notify(_told())
    assert ("slack", "not_set_up") in desk.outcomes()
    desk.channels["slack"].set_up = True
    desk.notify(_told())
    assert len(desk.channels["slack"].sent) == 1


def test_what_was_sent_and_could_not_be_kept_is_not_sent_again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(topic=Channel())

    def lost(*_: str) -> None:
        raise StoreUnavailable("lost")

    monkeypatch.setattr(desk.log, "mark_sent", lost)
    desk.notify(_told())
    with pytest.raises(StoreUnavailable):
        desk.notify(_told())
    assert len(desk.channels["topic"].sent) == 1


def test_a_channel_that_does_not_exist_is_told_by_its_name() -> None:
    notify = Notify({}, {"*": ["pager"]}, MemoryNotices(now=Clock()), MemoryTelemetry(), link_base="https://x")
    with pytest.raises(ConfigurationError, match="pager"):
        notify(_told())


def test_an_event_is_read_from_a_message_of_the_queue() -> None:
    kind, detail = build_announcement(APPROVAL)
    assert read_announcement(json.dumps({"detail-type": kind, "detail": detail})) == _told()


@pytest.mark.parametrize("body", ["", "{}", "[]", "null", '{"detail": {}}', '{"detail": 3}'])
def test_what_is_no_event_is_refused(body: Any) -> None:
    with pytest.raises(InvalidInput):
        read_announcement(body)


def test_a_channel_that_fails_where_nobody_expected_it_hinders_no_other_and_is_tried_again() -> None:
    desk = Desk(slack=Channel(KeyError("what")), email=Channel())
    with pytest.raises(KeyError):
        desk.notify(_told())
    assert [len(channel.sent) for channel in desk.channels.values()] == [0, 1]
    desk.notify(_told())
    assert [len(channel.sent) for channel in desk.channels.values()] == [1, 1]
