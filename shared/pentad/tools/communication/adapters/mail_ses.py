"""Send email by Amazon SES v2: one call for all recipients."""

from email.utils import formataddr
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, ConnectTimeoutError, EndpointConnectionError

from pentad.aws.errors import code_of
from pentad.domain.errors import ConfigurationError, EffectUncertain, PentadError, ToolFailed, ToolThrottled
from pentad.tools.communication.ports import EmailReceipt, OutgoingEmail

# Amazon SES API v2, SendEmail, Errors (https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html).
_LATER = frozenset({"TooManyRequestsException", "LimitExceededException", "ThrottlingException", "Throttling"})
_OPERATOR = {
    "AccountSuspendedException": "ask AWS why the account may not send",
    "SendingPausedException": "resume sending for the account or the configuration set",
    "MailFromDomainNotVerifiedException": "verify the MAIL FROM domain of the identity",
    "NotFoundException": "correct 'configuration_set' in tools.yaml, or make the identity",
    "AccessDeniedException": "deploy the tool with these settings: its role may send from 'sender' only",
}


class SesMailServer:
    """Amazon SES in one region.

    Args:
        client: boto3's client ``sesv2``, without retries of its own: a second request is a second email.
        configuration_set: for its events and limits; None for none.
    """

    def __init__(self, client: Any, *, configuration_set: str | None = None) -> None:
        self._client = client
        self._configuration_set = configuration_set

    def send(self, email: OutgoingEmail) -> EmailReceipt:
        """Hand over an email once; see `MailServer`. SES tells of refused recipients later, by its events."""
        try:
            answer = self._client.send_email(**self._build_request(email))
        except ClientError as error:
            raise _translate_error(error) from None
        except (ConnectTimeoutError, EndpointConnectionError):
            raise ToolThrottled("Amazon SES could not be reached; nothing was sent") from None
        except BotoCoreError as error:
            raise _make_uncertain(type(error).__name__) from None
        return EmailReceipt(message_id=str(answer["MessageId"]))

    def _build_request(self, email: OutgoingEmail) -> dict[str, Any]:
        body = {"Text": {"Data": email.text, "Charset": "UTF-8"}}
        if email.html is not None:
            body["Html"] = {"Data": email.html, "Charset": "UTF-8"}
        attached = [
            {"FileName": one.name, "ContentType": one.content_type, "RawContent": one.data} for one in email.attachments
        ]
        request: dict[str, Any] = {
            "FromEmailAddress": _name_sender(email),
            "Destination": {
                "ToAddresses": list(email.to),
                "CcAddresses": list(email.cc),
                "BccAddresses": list(email.bcc),
            },
            "Content": {
                "Simple": {
                    "Subject": {"Data": email.subject, "Charset": "UTF-8"},
                    "Body": body,
                    "Headers": [{"Name": "Auto-Submitted", "Value": "auto-generated"}],
                    **({"Attachments": attached} if attached else {}),
                }
            },
            # SES gives each email an id of its own; by this one its events find the call.
            "EmailTags": [{"Name": "pentad-call", "Value": email.message_id.strip("<>").partition("@")[0]}],
        }
        if email.reply_to:
            request["ReplyToAddresses"] = [email.reply_to]
        if self._configuration_set:
            request["ConfigurationSetName"] = self._configuration_set
        return request


def _name_sender(email: OutgoingEmail) -> str:
    """Return the sender as SES takes it: a name in ASCII is quoted, any other stands encoded (RFC 2047)."""
    return formataddr((email.sender_name, email.sender), charset="utf-8")


def _translate_error(error: ClientError) -> PentadError:
    code, status = code_of(error), error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in _LATER:
        return ToolThrottled(f"Amazon SES accepts no more email for now: {code}; nothing was sent")
    if code in _OPERATOR:
        return ConfigurationError(f"Amazon SES refused the email: {code}; nothing was sent", fix=_OPERATOR[code])
    if status >= 500:
        return _make_uncertain(code or str(status))
    return ToolFailed(
        f"Amazon SES refused the email: {code}; nothing was sent",
        fix="'sender' has to be a verified identity, and in the sandbox of SES each recipient as well",
    )


def _make_uncertain(what: str) -> EffectUncertain:
    return EffectUncertain(
        f"Amazon SES gave no clear answer ({what}): the email may have been sent",
        fix="check the events of SES, or ask the recipient, before sending it again",
    )
