"""Slack's Web API: errors come with HTTP 200 and ``"ok": false``."""

from collections.abc import Callable, Mapping
from typing import Any

from pentad.domain.errors import ConfigurationError, EffectUncertain, ToolFailed, ToolThrottled, ToolUnavailable
from pentad.tools.communication.chats import escape_slack
from pentad.tools.communication.ports import PostedMessage
from pentad.tools.outside.ports import HttpAnswer, HttpClient
from pentad.tools.outside.vendor_api import VendorApi, VendorError, read_json_object

_EVENT = "pentad_call"
_PAGE = 200
# "Errors" of chat.postMessage, chat.delete and conversations.history (https://docs.slack.dev/reference/methods).
_CREDENTIAL = frozenset(
    {"invalid_auth", "not_authed", "token_expired", "token_revoked", "account_inactive", "no_permission"}
)
_OPERATOR = {
    "missing_scope": "give the app the scope chat:write, and channels:history to find what an earlier try has posted",
    "not_in_channel": "invite the app to the channel",
    "channel_not_found": "correct the channel's id in tools.yaml, and invite the app to a private one",
    "is_archived": "name another channel in tools.yaml",
}
_UNCLEAR = frozenset({"internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"})
_UNREADABLE = frozenset({"missing_scope", "not_in_channel", "channel_not_found", "no_permission"})


class SlackChat:
    """One workspace of Slack.

    Args:
        http: speaks to it.
        url: of the Web API.
        token: returns the bot's token.
        renew: see `VendorApi`.
    """

    def __init__(
        self, http: HttpClient, url: str, *, token: Callable[[], str], renew: Callable[[], None] | None = None
    ) -> None:
        self._renew = renew
        self._api = VendorApi(
            http,
            url,
            name="Slack",
            authorize=lambda: {"Authorization": f"Bearer {token()}"},
            read_error=_read_error,
            renew=renew,
        )

    def post(self, channel: str, text: str, *, thread_id: str | None, marker: str) -> PostedMessage:
        """Post a message; see `Chat`. What links lead to is not shown, and nobody is called by name."""
        request: dict[str, Any] = {
            "channel": channel,
            "text": escape_slack(text),
            "unfurl_links": False,
            "unfurl_media": False,
            "metadata": {"event_type": _EVENT, "event_payload": {"call": marker}},
        }
        if thread_id is not None:
            request["thread_ts"] = thread_id
        answer = self._ask("chat.postMessage", request)
        # A message to a person comes back with the id of the conversation.
        found = (str(answer.get("channel") or channel), answer.get("ts"))
        if not isinstance(found[1], str):
            raise ToolUnavailable("Slack posted the message and did not say which it is")
        return PostedMessage(channel=found[0], message_id=found[1])

    def find_posted(self, channel: str, *, thread_id: str | None, marker: str) -> PostedMessage | None:
        """Return what an earlier try has posted; see `Chat`."""
        asked = {"channel": channel, "limit": str(_PAGE), "include_all_metadata": "true"}
        method = "conversations.history" if thread_id is None else "conversations.replies"
        try:
            answer = self._ask(method, asked if thread_id is None else {**asked, "ts": thread_id}, reads=True)
        except _NotReadable as error:
            raise _make_uncertain(f"Slack does not let the app read this channel ({error.code})") from error
        try:
            found = _find_marked(answer, marker)
        except (LookupError, TypeError, AttributeError):
            raise _make_uncertain("Slack listed the messages in a form that is not known") from None
        if found is not None:
            return PostedMessage(channel=channel, message_id=found)
        if answer.get("has_more"):
            # Nobody knows how long ago the earlier try was, so only all messages tell that there is none of it.
            where = "of the channel" if thread_id is None else "of the thread that were looked at"
            raise _make_uncertain(f"it is not among the {_PAGE} messages {where}, and there are more")
        return None

    def delete(self, message: PostedMessage) -> None:
        """Delete a message; see `Chat`."""
        request = {"channel": message.channel, "ts": message.message_id}
        self._ask("chat.delete", request, done=("message_not_found",))

    def _ask(
        self, method: str, request: Mapping[str, Any], *, reads: bool = False, done: tuple[str, ...] = ()
    ) -> dict[str, Any]:
        answer = self._send(method, request, reads)
        code = str(answer.get("error", ""))
        if answer.get("ok") is not True and code in _CREDENTIAL and self._can_renew():
            answer = self._send(method, request, reads)
            code = str(answer.get("error", ""))
        if answer.get("ok") is True or code in done:
            return answer
        raise _make_error(code, reads)

    def _send(self, method: str, request: Mapping[str, Any], reads: bool) -> dict[str, Any]:
        if reads:
            return read_json_object(self._api.ask("GET", f"/{method}", params=request))
        return read_json_object(self._api.ask("POST", f"/{method}", json=dict(request)))

    def _can_renew(self) -> bool:
        if self._renew is None:
            return False
        try:
            self._renew()
        except ToolFailed:
            return False
        return True


class _NotReadable(ToolFailed):
    """Messages of a channel may not be read."""

    code = ""


def _make_uncertain(why: str) -> EffectUncertain:
    return EffectUncertain(
        f"an earlier try asked Slack to post the message, and it is not known whether it did: {why}; "
        "it was not posted again",
        fix="look for the message in Slack, or ask somebody who reads the channel: where it stands, go on without "
        "posting; where it does not, post it by a new call",
    )


def _find_marked(answer: Mapping[str, Any], marker: str) -> str | None:
    """Return the id of the message with a mark. Messages of others have no metadata, or other ones."""
    for message in answer["messages"]:
        payload = (message.get("metadata") or {}).get("event_payload")
        if isinstance(payload, dict) and payload.get("call") == marker:
            return str(message["ts"])
    return None


def _make_error(code: str, reads: bool) -> Exception:
    told = f"Slack refused: {code[:60] or 'without a reason'}"
    if reads and code in _UNREADABLE:
        error = _NotReadable(told)
        error.code = code
        return error
    if code in ("ratelimited", "rate_limited", "message_limit_exceeded"):
        return ToolThrottled(f"{told}; nothing was done")
    if not code or code in _UNCLEAR:
        return ToolUnavailable(f"{told}: what was asked may have been done")
    if code in _CREDENTIAL:
        return ConfigurationError(f"{told}; nothing was done", field="secret", fix="renew the bot's token")
    if code in _OPERATOR:
        return ConfigurationError(f"{told}; nothing was done", field="channels", fix=_OPERATOR[code])
    return ToolFailed(f"{told}; nothing was done")


def _read_error(answer: HttpAnswer) -> VendorError:
    return VendorError(code=str(read_json_object(answer).get("error", "")))
