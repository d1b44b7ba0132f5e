"""Send an email: check recipients and headers, and say for each recipient what became of it."""

import mimetypes
from collections.abc import Sequence
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from pentad.domain.display.unicode_text import replace_halves
from pentad.domain.errors import InvalidInput, ToolThrottled, ToolUnavailable
from pentad.domain.values import FrozenValue
from pentad.tools.communication.addresses import check_address, check_domains, check_patterns
from pentad.tools.communication.ports import EmailAttachment, MailServer, OutgoingEmail, RefusedRecipient
from pentad.tools.files.paths import check_path
from pentad.tools.files.ports import FileStore
from pentad.tools.outside.aws_actions import AwsAction

OUTBOX = "outbox/"
"""The folder of the tenant's files that attachments come from."""
MAX_ATTACHED_BYTES = 5_000_000
"""Of all attachments; base64 makes a third more of it, and many servers take 10 MB."""
MAX_RECIPIENTS = 50
"""Recipients of one email: SES takes 50 (AWS, Quotas of Amazon SES)."""
# What needs no 8BITMIME or SMTPUTF8 of the server: bodies in base64 or quoted-printable, headers in ASCII.
_POLICY = SMTP.clone(cte_type="7bit", utf8=False)


class EmailSettings(FrozenValue):
    """How email is sent; no secret stands here.

    Args:
        backend: ``smtp``, or ``ses`` for Amazon SES.
        sender: the address that email comes from. With SES its domain or itself has to be a verified identity.
        sender_name: the name that is shown with it.
        reply_to: where answers go, if not to the sender.
        recipient_domains: who may be written to: ``example.com``, ``*.example.com`` for all below it, ``*`` for any.
        max_recipients: of one email, 1 to 50.
        host: of the SMTP server.
        port: of the SMTP server; 587 with ``starttls``, 465 with ``tls``.
        security: ``starttls``, ``tls`` from the first byte, or ``none``, with which no credential is sent.
        secret: name of the secret with ``username`` and ``password``; None where the server needs none.
        configuration_set: of SES, for its events and its own limits.
    """

    backend: Literal["smtp", "ses"] = "smtp"
    sender: str
    sender_name: str = Field(default="", max_length=100)
    reply_to: str | None = None
    recipient_domains: tuple[str, ...] = Field(min_length=1)
    max_recipients: int = Field(default=20, ge=1, le=MAX_RECIPIENTS)
    host: str | None = None
    port: int = Field(default=587, ge=1, le=65_535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    secret: str | None = "smtp"  # noqa: S105 - a name
    configuration_set: str | None = None

    @field_validator("sender", "reply_to")
    @classmethod
    def _check_address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        try:
            return check_address(value, "sender")
        except InvalidInput as error:
            raise ValueError(f"{error.message}; {error.fix}") from error

    @field_validator("recipient_domains")
    @classmethod
    def _check_domains(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        check_patterns(value)
        return value

    @model_validator(mode="after")
    def _check_backend(self) -> Self:
        if self.backend == "smtp" and not self.host:
            raise ValueError("the backend 'smtp' needs 'host'; give the name of the SMTP server")
        if self.backend == "smtp" and self.security == "none" and self.secret is not None:
            raise ValueError("'security: none' would send the credential in clear; use starttls, or 'secret: null'")
        _refuse_control(self.sender_name, "sender_name", ValueError)
        return self

    def list_aws_actions(self) -> tuple[AwsAction, ...]:
        """Return what SES asks of the role: to send from this sender only, by its identity or its domain's."""
        if self.backend != "ses":
            return ()
        names = [f"identity/{self.sender}", f"identity/{self.sender.rpartition('@')[2]}"]
        names += [f"configuration-set/{self.configuration_set}"] if self.configuration_set else []
        resources = tuple(f"ses:{name}" for name in names)
        return (AwsAction(action="ses:SendEmail", resources=resources, equals={"ses:FromAddress": self.sender}),)


class SentEmail(FrozenValue):
    """What the model is told of an email that was sent."""

    message_id: str
    accepted: tuple[str, ...] = Field(description="recipients whose mail server took it; delivery may still fail")
    refused: tuple[RefusedRecipient, ...] = Field(default=(), description="recipients who do not get it, and why")


def send(
    settings: EmailSettings,
    server: MailServer,
    *,
    to: Sequence[str],
    cc: Sequence[str] = (),
    bcc: Sequence[str] = (),
    subject: str,
    text: str,
    html_text: str | None = None,
    attachments: Sequence[EmailAttachment] = (),
    effect_key: str,
    at: datetime,
) -> SentEmail:
    """Send one email and return who it was taken for.

    Args:
        settings: of the tool.
        server: takes it.
        to: recipients, as the model named them.
        cc: further recipients.
        bcc: recipients whom the others do not see.
        subject: one line.
        text: the body.
        html_text: the body as HTML.
        attachments: files, see `read_attachments`.
        effect_key: of the call.
        at: now, UTC.

    Raises:
        InvalidInput: an address or the subject can't be sent.
        PolicyDenied: a recipient's domain is not allowed.
        ToolThrottled: nothing was sent; a later try may succeed.
        ToolFailed: nothing was sent.
        EffectUncertain: it may have been sent.
        ConfigurationError: the server does not accept what the settings say.
    """
    named = {"to": to, "cc": cc, "bcc": bcc}
    checked = {field: tuple(check_address(one, field) for one in given) for field, given in named.items()}
    email = OutgoingEmail(
        message_id=f"<{effect_key[:40]}@{settings.sender.rpartition('@')[2]}>",
        sender=settings.sender,
        sender_name=settings.sender_name,
        reply_to=settings.reply_to,
        subject=_refuse_control(subject.strip(), "subject", InvalidInput),
        text=replace_halves(text),
        attachments=tuple(attachments),
        html=None if html_text is None else replace_halves(html_text),
        at=at,
        **checked,
    )
    _check_count(email.recipients, settings.max_recipients)
    check_domains(email.recipients, settings.recipient_domains)
    receipt = server.send(email)
    refused = {one.address for one in receipt.refused}
    return SentEmail(
        message_id=receipt.message_id,
        accepted=tuple(address for address in email.recipients if address not in refused),
        refused=receipt.refused,
    )


def read_attachments(paths: Sequence[str], files: FileStore) -> list[EmailAttachment]:
    """Return files as attachments; what they are is told by their names.

    Args:
        paths: below ``outbox/``, which is all that the tool may read.
        files: the tenant's.

    Raises:
        InvalidInput: a path names no file, or all together are too large.
        PolicyDenied: a path is outside of ``outbox/``.
        ToolThrottled: the store did not answer; nothing was sent.
    """
    found, left = [], MAX_ATTACHED_BYTES
    for path in dict.fromkeys(paths):
        plain = check_path(path, field="attachments")
        try:
            file = files.read(plain, length=left + 1)
        except ToolUnavailable as error:
            raise ToolThrottled(f"{error.message}; nothing was sent", retry_after=error.retry_after) from error
        if file is None:
            raise InvalidInput(f"no file '{plain}'", field="attachments", fix=f"put it into {OUTBOX} first")
        left -= len(file.data)
        if left < 0:
            raise InvalidInput(
                f"the attachments have more than {MAX_ATTACHED_BYTES:,} bytes", field="attachments", fix="attach less"
            )
        name = plain.rpartition("/")[2]
        # A type that says how the bytes are packed is told as bytes: the reader's program would unpack them.
        kind, packed = mimetypes.guess_type(name)
        found.append(EmailAttachment(name=name, content_type=_choose_type(kind, packed), data=file.data))
    return found


def _choose_type(kind: str | None, packed: str | None) -> str:
    known = kind is not None and packed is None and not kind.startswith(("message/", "multipart/"))
    return kind if known and kind is not None else "application/octet-stream"


def build_message(email: OutgoingEmail) -> bytes:
    """Return an email as SMTP carries it: ASCII lines that end in CRLF; whom it is bcc to stands nowhere in it."""
    message = EmailMessage(policy=_POLICY)
    message["From"] = Address(email.sender_name, addr_spec=email.sender)
    message["To"] = _list_addresses(email.to)
    if email.cc:
        message["Cc"] = _list_addresses(email.cc)
    if email.reply_to:
        message["Reply-To"] = Address(addr_spec=email.reply_to)
    message["Subject"] = email.subject
    message["Date"] = format_datetime(email.at)
    message["Message-ID"] = email.message_id
    # So that answering machines do not answer (RFC 3834).
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(_clean(email.text))
    if email.html is not None:
        message.add_alternative(_clean(email.html), subtype="html")
    for one in email.attachments:
        main, _, kind = one.content_type.partition("/")
        message.add_attachment(one.data, maintype=main, subtype=kind, filename=one.name)
    return message.as_bytes()


def _list_addresses(addresses: Sequence[str]) -> tuple[Address, ...]:
    return tuple(Address(addr_spec=address) for address in addresses)


def _check_count(recipients: Sequence[str], most: int) -> None:
    if not recipients:
        raise InvalidInput("the email has no recipient", field="to", fix="name at least one address in 'to'")
    if len(recipients) > most:
        raise InvalidInput(
            f"the email has {len(recipients)} recipients, and {most} are allowed",
            field="to",
            fix=f"name at most {most}",
        )


def _refuse_control(text: str, field: str, kind: type[Exception]) -> str:
    """Return a header's text, which has no line of its own and nothing invisible that could make one."""
    # A line separator of Unicode splits lines in some readers of email just as a line feed does.
    if any(not mark.isprintable() for mark in text):
        message = f"'{field}' holds a line break or a control character; write it in one line"
        raise InvalidInput(message, field=field) if kind is InvalidInput else kind(message)
    return text


def _clean(body: str) -> str:
    """Return a body with line feeds only, which the message's policy makes CRLF, and without NUL."""
    return body.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
