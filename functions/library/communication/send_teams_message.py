"""The tool that posts to Microsoft Teams."""

from typing import Annotated

from pydantic import Field

from pentad.tools.communication.adapters.chat_teams import TeamsWorkflow
from pentad.tools.communication.chats import SentMessage, TeamsSettings, find_channel
from pentad.tools.declare import ToolContext, tool


@tool(
    effects="external",
    settings=TeamsSettings,
    secrets=["settings.channels"],
    egress=["settings.hosts"],
    approval="always",
    # A workflow knows no message again: a call that was cut off is not repeated.
    idempotent=False,
    rate_limit="20/minute per user, 1000/day per tenant",
    timeout_seconds=40,
)
def send_teams_message(
    channel: Annotated[str, Field(min_length=1, max_length=64, description="as the settings of this tool name it")],
    text: Annotated[str, Field(min_length=1, max_length=10_000, description="plain text")],
    context: ToolContext,
    title: Annotated[str | None, Field(max_length=200, description="a line above the text")] = None,
) -> SentMessage:
    """Post a message to a channel of Teams. A human sees it first and decides; it can't be taken back."""
    names = context.settings_of(TeamsSettings).channels
    secret = find_channel({name: name for name in names}, channel)
    TeamsWorkflow(context.http, context.secret(secret).text).post(title, text)
    return SentMessage(channel=secret, note="Teams took the message; it is posted in a moment")
