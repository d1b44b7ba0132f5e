"""Microsoft Teams by a workflow of Power Automate: an Adaptive Card to an address that is a credential itself.

Connectors of Office 365, which had such addresses before, are retired.
"""

from urllib.parse import urlsplit

from pentad.domain.errors import ConfigurationError, EffectUncertain, InvalidInput, NotFound, ToolUnavailable
from pentad.tools.outside.ports import HttpAnswer, HttpClient
from pentad.tools.outside.vendor_api import VendorApi, VendorError, read_json_object

_MAX_BYTES = 28_000
"""Of a message by a workflow (Microsoft, Limits and specifications of Teams)."""


class TeamsWorkflow:
    """One channel.

    Args:
        http: speaks to the workflow's host.
        url: of the workflow, from a secret.
    """

    def __init__(self, http: HttpClient, url: str) -> None:
        parts = urlsplit(url.strip())
        if parts.scheme not in ("https", "http") or not parts.netloc:
            raise ConfigurationError(
                "the secret of the channel is not an address", field="channels", fix="store the address of the workflow"
            )
        self._api = VendorApi(http, url.strip(), name="Teams", authorize=dict, read_error=_read_error)

    def post(self, title: str | None, text: str) -> None:
        """Post a message once; the workflow takes it, and posts it a moment later.

        Raises:
            InvalidInput: it is too long.
            ToolThrottled, ToolFailed: nothing was posted.
            EffectUncertain: it may have been posted.
            ConfigurationError: the address is not valid any more.
        """
        card = build_card(title, text)
        if len(str(card).encode()) > _MAX_BYTES:
            raise InvalidInput("the message is too long for Teams", field="text", fix="shorten it")
        try:
            self._api.ask("POST", "", json=card)
        except ToolUnavailable as error:
            raise EffectUncertain(
                f"{error.message}: the message may have been posted",
                fix="check the channel before asking again",
            ) from error
        except NotFound as error:
            raise ConfigurationError(
                "Teams knows no such workflow; nothing was posted",
                field="channels",
                fix="create the workflow again, and store its address",
            ) from error


def build_card(title: str | None, text: str) -> dict[str, object]:
    """Return an Adaptive Card whose words are shown as they stand: a run of text has no Markdown and no links."""
    runs: list[dict[str, object]] = [{"type": "TextRun", "text": text}]
    body: list[dict[str, object]] = [{"type": "RichTextBlock", "inlines": runs}]
    if title:
        head = {"type": "TextRun", "text": title, "weight": "Bolder", "size": "Medium"}
        body.insert(0, {"type": "RichTextBlock", "inlines": [head]})
    content = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
    }
    card = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": content}
    return {"type": "message", "attachments": [card]}


def _read_error(answer: HttpAnswer) -> VendorError:
    error = read_json_object(answer).get("error")
    return VendorError(code=str(error.get("code", "")) if isinstance(error, dict) else "")
