"""The tool that sends an email."""

from typing import Annotated

from pydantic import Field

from pentad.aws.clients import get_client
from pentad.tools.communication import emails
from pentad.tools.communication.adapters.mail_ses import SesMailServer
from pentad.tools.communication.adapters.mail_smtp import SmtpLogin, SmtpMailServer
from pentad.tools.communication.emails import MAX_RECIPIENTS, OUTBOX, EmailSettings, SentEmail
from pentad.tools.communication.ports import MailServer
from pentad.tools.declare import Grant, ToolContext, tool
from pentad.tools.outside.vendor_credential import VendorCredential

_Addresses = Annotated[list[Annotated[str, Field(max_length=320)]], Field(max_length=MAX_RECIPIENTS)]


def _make_server(settings: EmailSettings, context: ToolContext) -> MailServer:
    if settings.backend == "ses":
        return SesMailServer(get_client("sesv2", attempts=1), configuration_set=settings.configuration_set)
    if settings.secret is None:
        return SmtpMailServer(settings, login=None)
    credential = VendorCredential(context, settings.secret)
    return SmtpMailServer(settings, login=lambda: SmtpLogin(*credential.login), renew=credential.renew)


@tool(
    effects="external",
    settings=EmailSettings,
    secrets=["settings.secret"],
    permissions=[Grant("files", "read", keys=OUTBOX)],
    approval="always",
    # Neither SMTP nor SES knows an email again: a call that was cut off is not repeated.
    idempotent=False,
    rate_limit="20/minute per user, 500/day per tenant",
    timeout_seconds=60,
)
def send_email(
    to: Annotated[_Addresses, Field(min_length=1, description="addresses such as mary@example.com, without names")],
    subject: Annotated[str, Field(min_length=1, max_length=250, description="one line")],
    text: Annotated[str, Field(min_length=1, max_length=100_000, description="the body as plain text")],
    context: ToolContext,
    cc: Annotated[_Addresses, Field(description="further recipients")] = [],  # noqa: B006 - pydantic copies it
    bcc: Annotated[_Addresses, Field(description="recipients whom nobody else sees")] = [],  # noqa: B006
    html: Annotated[
        str | None, Field(max_length=200_000, description="the same body as HTML, where plain text is not enough")
    ] = None,
    attachments: Annotated[
        list[Annotated[str, Field(max_length=1_000)]],
        Field(max_length=10, description="paths of files in outbox/, such as outbox/report.pdf"),
    ] = [],  # noqa: B006
) -> SentEmail:
    """Send an email to people. A human sees it first and decides; it can't be taken back.

    The result says for each recipient whether a mail server took it. Those in `refused` do not get it: do not send the
    whole email again for them, but to them alone once the reason is gone.
    """
    settings = context.settings_of(EmailSettings)
    return emails.send(
        settings,
        _make_server(settings, context),
        to=to,
        cc=cc,
        bcc=bcc,
        subject=subject,
        text=text,
        html_text=html,
        attachments=emails.read_attachments(attachments, context.files) if attachments else (),
        effect_key=context.effect_key,
        at=context.now(),
    )
