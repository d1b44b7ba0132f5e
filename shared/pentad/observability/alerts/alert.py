"""What an alarm says, read from SNS's envelope around CloudWatch's message. Pure."""

import hashlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from pydantic import Field

from pentad.domain.errors import InvalidInput
from pentad.domain.reading.json_text import read_message_body
from pentad.domain.values import FrozenValue
from pentad.observability.alarms.specs import Severity

_TEXT_CHARACTERS = 1_000
_NAME_CHARACTERS = 300
_RUNBOOK = " What to do: "
"""What stands in an alarm's description before the place of its runbook."""
_TOPICS: Mapping[str, Severity] = {"-pages": "page", "-tickets": "ticket"}


class Alert(FrozenValue):
    """One change of an alarm's state, or another message of a topic of alarms.

    ``alert_id`` is the same for all deliveries of one change. ``runbook`` is a place in the project, or empty.
    """

    alert_id: str = Field(pattern=r"^[0-9a-f]{32}$")
    severity: Severity
    name: str
    state: str = ""
    was: str = ""
    says: str = ""
    reason: str = ""
    runbook: str = ""
    at: str = ""
    console: str = ""

    @property
    def headline(self) -> str:
        """What it is about, in one line."""
        words = [f"[{self.severity}]", self.state and f"{self.state}:", self.name, self.was and f"(was {self.was})"]
        return " ".join(word for word in words if word)


def read_alert(body: str) -> Alert:
    """Return the alert in a message of the queue: what SNS puts around what CloudWatch says.

    Raises:
        InvalidInput: it is not SNS's, or of no topic of alarms.
    """
    envelope = read_message_body(body)
    topic, text = envelope.get("TopicArn"), envelope.get("Message")
    if not isinstance(topic, str) or not isinstance(text, str):
        raise InvalidInput("the body is not an SNS message", field="body")
    severity = next((found for end, found in _TOPICS.items() if topic.endswith(end)), None)
    if severity is None:
        raise InvalidInput("the message does not come from a topic of alarms", field="TopicArn")
    try:
        said = read_message_body(text)
    except InvalidInput:
        said = {}
    if not isinstance(said.get("AlarmName"), str):
        # Somebody else may publish to the topic too: that is told as it is.
        told = hashlib.sha256(f"{topic}\0{envelope.get('MessageId')}".encode()).hexdigest()[:32]
        name = _cut(envelope.get("Subject"), _NAME_CHARACTERS) or "a message of the topic"
        return Alert(alert_id=told, severity=severity, name=name, reason=_cut(text), at=_cut(envelope.get("Timestamp")))
    return _read_change(severity, said)


def _read_change(severity: Severity, said: Mapping[str, Any]) -> Alert:
    name, arn = _cut(said.get("AlarmName"), _NAME_CHARACTERS), _cut(said.get("AlarmArn"), _NAME_CHARACTERS)
    state, at = _cut(said.get("NewStateValue"), 40), _cut(said.get("StateChangeTime"), 40)
    says, _, runbook = _cut(said.get("AlarmDescription")).partition(_RUNBOOK)
    # Not by SNS's id of the message: CloudWatch may publish a change twice, too.
    told = hashlib.sha256("\0".join((severity, arn or name, state, at)).encode()).hexdigest()[:32]
    return Alert(
        alert_id=told,
        severity=severity,
        name=name,
        state=state,
        was=_cut(said.get("OldStateValue"), 40),
        says=says,
        reason=_cut(said.get("NewStateReason")),
        runbook=runbook.strip(),
        at=at,
        console=_find_console(arn, name),
    )


def _find_console(arn: str, name: str) -> str:
    """Return where CloudWatch's console shows the alarm."""
    parts = arn.split(":")
    if len(parts) < 6 or parts[2] != "cloudwatch":
        return ""
    region, alarm = quote(parts[3], safe=""), quote(name, safe="")
    return f"https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}#alarmsV2:alarm/{alarm}"


def _cut(value: object, most: int = _TEXT_CHARACTERS) -> str:
    text = value if isinstance(value, str) else ""
    return text if len(text) <= most else f"{text[: most - 3]}..."
