"""What the tools that reach people need from outside: a mail server, a chat, a carrier of text messages."""

from datetime import datetime
from typing import Protocol

from pydantic import Field

from pentad.domain.values import FrozenValue


class EmailAttachment(FrozenValue):
    """A file that goes with an email.

    Args:
        name: as the reader sees it.
        content_type: of MIME, by the name.
        data: the file.
    """

    name: str
    content_type: str
    data: bytes = Field(repr=False)


class OutgoingEmail(FrozenValue):
    """One email, whose addresses and headers were checked.

    Args:
        message_id: derived from the call, so a second try is known as such to whoever compares.
        sender: the address it is from.
        sender_name: the name that is shown with it.
        to: addresses of the first recipients.
        cc: addresses that everybody sees.
        bcc: addresses that nobody else sees.
        reply_to: where answers go, if not to the sender.
        subject: one line.
        text: the body.
        html: the same body as HTML, where there is one.
        attachments: files that go with it.
        at: when it was written, UTC.
    """

    message_id: str
    sender: str
    sender_name: str = ""
    to: tuple[str, ...]
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    reply_to: str | None = None
    subject: str
    text: str
    html: str | None = None
    attachments: tuple[EmailAttachment, ...] = ()
    at: datetime

    @property
    def recipients(self) -> tuple[str, ...]:
        """All addresses that it goes to, each once."""
        return tuple(dict.fromkeys((*self.to, *self.cc, *self.bcc)))


class RefusedRecipient(FrozenValue):
    """A recipient that the mail server did not take.

    Args:
        address: the recipient.
        code: the server's code, with the enhanced one of RFC 3463 where it gave one.
        reason: what the code means, in our words: the server's own are text from outside.
        temporary: a later try may succeed.
    """

    address: str
    code: str
    reason: str
    temporary: bool


class EmailReceipt(FrozenValue):
    """What became of an email that was taken for at least one recipient.

    Args:
        message_id: as it is sent; SES replaces ours by its own.
        refused: recipients that it was not taken for.
    """

    message_id: str
    refused: tuple[RefusedRecipient, ...] = ()


class MailServer(Protocol):
    """Takes email for delivery."""

    def send(self, email: OutgoingEmail) -> EmailReceipt:
        """Hand over an email once.

        Raises:
            ToolThrottled: nothing was sent, and a later try may succeed.
            ToolFailed: nothing was sent, and the same email would be refused again.
            EffectUncertain: the connection broke when the server had the email: it may have been sent.
            ConfigurationError: the server does not accept the credential, or does not speak TLS.
        """
        ...


class PostedMessage(FrozenValue):
    """A message in a chat.

    Args:
        channel: the chat's id of the channel.
        message_id: the chat's id of the message.
    """

    channel: str
    message_id: str


class Chat(Protocol):
    """Channels of a chat."""

    def post(self, channel: str, text: str, *, thread_id: str | None, marker: str) -> PostedMessage:
        """Post a message once.

        Args:
            channel: the chat's id of it.
            text: what all see.
            thread_id: the message that it answers, if it does.
            marker: the call, kept with the message where only programs see it.

        Raises:
            ToolThrottled, ToolFailed, ConfigurationError: nothing was posted.
            ToolUnavailable: it may have been posted.
        """
        ...

    def find_posted(self, channel: str, *, thread_id: str | None, marker: str) -> PostedMessage | None:
        """Return the message that an earlier try of a call has posted, or None where there is none.

        Raises:
            EffectUncertain: it can't be told: there are more messages than can be looked at, or they may not be read.
            ToolThrottled, ToolUnavailable, ToolFailed, ConfigurationError: see `VendorApi.ask`.
        """
        ...

    def delete(self, message: PostedMessage) -> None:
        """Delete a message; one that is gone is no error.

        Raises:
            ToolThrottled, ToolFailed, ConfigurationError: nothing was deleted.
            ToolUnavailable: it may have been deleted.
        """
        ...


class TextCarrier(Protocol):
    """Takes text messages to phones."""

    def send(self, number: str, text: str, *, effect_key: str) -> str:
        """Hand over a text message once, and return the carrier's id of it.

        Raises:
            ToolThrottled: nothing was sent, and a later try may succeed.
            ToolFailed: nothing was sent: the number is opted out or can't be reached, or a limit of money is reached.
            EffectUncertain: it may have been sent.
            ConfigurationError: the settings or the role don't allow it.
        """
        ...
