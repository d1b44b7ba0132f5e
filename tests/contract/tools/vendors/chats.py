"""Slack, a workflow of Teams and AWS End User Messaging as their documentation describes them.

Slack's reference of ``chat.postMessage``, ``chat.delete``, ``conversations.history`` and "Rate limits"; Microsoft's
"Create incoming webhooks with Workflows" and "Limits"; AWS's API reference of ``SendTextMessage``. As of November 2026.
"""

from typing import Any

from tests.contract.tools.vendors.server import TOKEN, Asked, Reply, Vendor

CHANNEL = "C0123456789"


class Slack(Vendor):
    """One workspace with one channel. Errors come with HTTP 200."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: dict[str, dict[str, Any]] = {}
        self.errors: list[str] = []
        self.readable = True

    def respond(self, asked: Asked) -> Reply:
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            return Reply(200, {"ok": False, "error": "invalid_auth"})
        if self.errors:
            return Reply(200, {"ok": False, "error": self.errors.pop(0)})
        method = asked.parts[-1]
        given = asked.query if asked.method == "GET" else asked.json
        if given["channel"] != CHANNEL:
            return Reply(200, {"ok": False, "error": "channel_not_found"})
        if method == "chat.postMessage":
            assert asked.headers["content-type"].startswith("application/json")
            message_id = f"{1_700_000_000 + len(self.messages)}.000100"
            self.messages[message_id] = {**given, "ts": message_id}
            return Reply(200, {"ok": True, "channel": CHANNEL, "ts": message_id})
        if method == "chat.delete":
            if given["ts"] not in self.messages:
                return Reply(200, {"ok": False, "error": "message_not_found"})
            del self.messages[given["ts"]]
            return Reply(200, {"ok": True})
        if not self.readable:
            return Reply(200, {"ok": False, "error": "missing_scope", "needed": "channels:history"})
        thread = given.get("ts")
        found = [one for one in self.messages.values() if thread in (None, one["ts"], one.get("thread_ts"))]
        if thread is None:
            found.reverse()
        most = int(given["limit"])
        return Reply(200, {"ok": True, "messages": found[:most], "has_more": len(found) > most})


class Workflow(Vendor):
    """A workflow of Power Automate: it takes a card, and answers 202 before it posts it."""

    def __init__(self) -> None:
        super().__init__()
        self.cards: list[dict[str, Any]] = []

    def respond(self, asked: Asked) -> Reply:
        if asked.parts != ("workflows", "abc", "triggers", "manual", "paths", "invoke"):
            return Reply(404, {"error": {"code": "WorkflowNotFound", "message": f"no {asked.query.get('sig')}"}})
        assert asked.query == {"api-version": "1", "sig": "the-signature"}
        (card,) = asked.json["attachments"]
        assert card["contentType"] == "application/vnd.microsoft.card.adaptive"
        self.cards.append(card["content"])
        return Reply(202)


class EndUserMessaging(Vendor):
    """AWS's API with JSON 1.0."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[dict[str, Any]] = []
        self.refusals: list[tuple[int, str, str]] = []

    def respond(self, asked: Asked) -> Reply:
        assert asked.headers["x-amz-target"] == "PinpointSMSVoiceV2.SendTextMessage"
        if self.refusals:
            status, code, reason = self.refusals.pop(0)
            return Reply(status, {"__type": code, "Message": "no", "Reason": reason})
        self.sent.append(asked.json)
        return Reply(200, {"MessageId": f"message-{len(self.sent)}"})
