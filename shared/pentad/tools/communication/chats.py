"""Post to channels of a chat: to those that the settings name, once, and taken back on demand."""

import re

from pydantic import Field, field_validator

from pentad.domain.errors import InvalidInput
from pentad.domain.values import FrozenValue
from pentad.tools.communication.ports import Chat, PostedMessage
from pentad.tools.outside.vendor_api import begin_with_look

SLACK_URL = "https://slack.com/api"
MAX_TEXT = 4_000
"""Characters that Slack recommends for a message at most; it cuts at 40,000."""
_CHANNEL = re.compile(r"[CGDU][A-Z0-9]{2,20}")
_TIME = re.compile(r"[0-9]{10}\.[0-9]{6}")


class SlackSettings(FrozenValue):
    """One workspace.

    Args:
        channels: ids of channels (``C0123456789``), or of people (``U...``), by the names that the model gives.
        secret: name of the secret with the bot's token.
        url: of the Web API.
    """

    channels: dict[str, str] = Field(min_length=1, max_length=50)
    secret: str = "slack"  # noqa: S105 - a name
    url: str = Field(default=SLACK_URL, pattern=r"^https?://[^\s/?#@]+(/[^\s?#]*)?$", max_length=300)

    @field_validator("channels")
    @classmethod
    def _check_channels(cls, value: dict[str, str]) -> dict[str, str]:
        for name, channel in value.items():
            if not _CHANNEL.fullmatch(channel):
                raise ValueError(
                    f"'{channel}' of '{name}' is not an id; copy it from the channel's details: C0123456789"
                )
        return value


class TeamsSettings(FrozenValue):
    """Channels of Teams.

    Args:
        channels: names of secrets, each the address of a workflow that posts to one channel. The model gives them.
        hosts: where workflows are.
    """

    channels: tuple[str, ...] = Field(min_length=1, max_length=20)
    hosts: tuple[str, ...] = Field(default=("*.logic.azure.com", "*.api.powerplatform.com"), min_length=1)


class SentMessage(FrozenValue):
    """What the model is told of a message in a chat."""

    channel: str
    message_id: str | None = Field(default=None, description="gives a thread for answers, where the chat has one")
    note: str | None = None


def post(
    settings: SlackSettings, chat: Chat, *, channel: str, text: str, thread_id: str | None, effect_key: str, again: bool
) -> tuple[SentMessage, PostedMessage]:
    """Post a message once.

    Args:
        settings: of the tool.
        chat: where.
        channel: its name in the settings.
        text: the message.
        thread_id: the message that it answers.
        effect_key: of the call.
        again: an earlier try of the same call may have posted it.

    Returns:
        What the model is told, and what the undo needs.

    Raises:
        InvalidInput: there is no such channel or thread.
        EffectUncertain: it may have been posted, and nobody can tell.
        ToolThrottled, ToolFailed, ConfigurationError: nothing was posted.
        ToolUnavailable: it may have been posted; the next try looks.
    """
    channel_id = find_channel(settings.channels, channel)
    if thread_id is not None and not _TIME.fullmatch(thread_id):
        raise InvalidInput(
            f"'{thread_id[:40]}' is not a message", field="thread", fix="give a message_id such as 1503435956.000247"
        )
    found = None
    if again:
        with begin_with_look(again=again):
            found = chat.find_posted(channel_id, thread_id=thread_id, marker=effect_key)
    posted = found or chat.post(channel_id, text, thread_id=thread_id, marker=effect_key)
    return SentMessage(channel=channel, message_id=posted.message_id), posted


def find_channel(channels: dict[str, str], name: str) -> str:
    """Return the id of a channel by its name in the settings.

    Raises:
        InvalidInput: there is none of this name.
    """
    plain = name.strip().removeprefix("#")
    if plain not in channels:
        raise InvalidInput(f"no channel '{plain[:60]}' here", field="channel", fix=f"use one of {', '.join(channels)}")
    return channels[plain]


def escape_slack(text: str) -> str:
    """Return text that Slack shows as it stands: no mention of everybody, no link behind other words.

    Slack's "Formatting text for app surfaces": just these three have a meaning that text must not have.
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
