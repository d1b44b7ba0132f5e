"""The tool that posts to Slack."""

from typing import Annotated

from pydantic import Field

from pentad.tools.communication import chats
from pentad.tools.communication.adapters.chat_slack import SlackChat
from pentad.tools.communication.chats import MAX_TEXT, SentMessage, SlackSettings
from pentad.tools.communication.ports import PostedMessage
from pentad.tools.declare import ToolContext, Undoable, tool
from pentad.tools.outside.vendor_credential import VendorCredential


def _open_chat(context: ToolContext) -> SlackChat:
    settings = context.settings_of(SlackSettings)
    credential = VendorCredential(context, settings.secret)
    return SlackChat(context.http, settings.url, token=lambda: credential.token, renew=credential.renew)


def delete(data: PostedMessage, context: ToolContext) -> None:
    """Delete the message; who has read it has read it."""
    _open_chat(context).delete(data)


@tool(
    effects="external",
    settings=SlackSettings,
    secrets=["settings.secret"],
    egress=["settings.url"],
    approval="always",
    undo=delete,
    undo_kind="compensate",
    # A try after one that was cut off looks for its message in the channel.
    idempotent=True,
    # Slack takes about one message a second and channel.
    rate_limit="20/minute per user, 60/minute per tenant, 2000/day per tenant",
    timeout_seconds=60,
)
def send_slack_message(
    channel: Annotated[str, Field(min_length=1, max_length=100, description="as the settings of this tool name it")],
    text: Annotated[str, Field(min_length=1, max_length=MAX_TEXT, description="plain text; *bold* and _italic_ work")],
    context: ToolContext,
    thread: Annotated[str | None, Field(max_length=40, description="message_id of the message to answer")] = None,
) -> Undoable[SentMessage]:
    """Post a message to a channel of Slack. A human sees it first and decides. Nobody can be called with @."""
    sent, posted = chats.post(
        context.settings_of(SlackSettings),
        _open_chat(context),
        channel=channel,
        text=text,
        thread_id=thread,
        effect_key=context.effect_key,
        again=context.again,
    )
    return Undoable(sent, undo=posted.model_dump(mode="json"))
