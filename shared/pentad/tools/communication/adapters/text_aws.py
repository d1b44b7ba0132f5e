"""Text messages by Amazon SNS, and by AWS End User Messaging (the API ``pinpoint-sms-voice-v2``)."""

from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, ConnectTimeoutError, EndpointConnectionError

from pentad.aws.errors import code_of
from pentad.domain.errors import ConfigurationError, EffectUncertain, PentadError, ToolFailed, ToolThrottled
from pentad.tools.communication.texts import SmsSettings

_LATER = frozenset({"Throttling", "ThrottlingException", "ThrottledException", "KMSThrottling"})
_OPERATOR = frozenset(
    {"AccessDenied", "AccessDeniedException", "AuthorizationError", "ResourceNotFoundException", "NotFound"}
)
# End User Messaging tells why in the field Reason of ConflictException and ServiceQuotaExceededException.
_REASONS = {
    "DESTINATION_PHONE_NUMBER_OPTED_OUT": "the person does not want text messages (opted out)",
    "DESTINATION_PHONE_NUMBER_NOT_VERIFIED": "the account is in the sandbox, and the number is not verified",
    "DESTINATION_COUNTRY_BLOCKED": "the account does not send to this country",
    "MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT": "the account's limit of money for this month is reached",
}


class SnsCarrier:
    """Amazon SNS.

    Args:
        client: boto3's client ``sns``, without retries of its own: a second request is a second message.
        settings: of the tool.
    """

    def __init__(self, client: Any, settings: SmsSettings) -> None:
        self._client = client
        self._settings = settings

    def send(self, number: str, text: str, *, effect_key: str) -> str:
        """Hand over a text message once; see `TextCarrier`."""
        attributes = {
            "AWS.SNS.SMS.SMSType": {"DataType": "String", "StringValue": "Transactional"},
            "AWS.SNS.SMS.MaxPrice": {"DataType": "Number", "StringValue": self._settings.max_price_usd},
        }
        if self._settings.sender_id is not None:
            attributes["AWS.SNS.SMS.SenderID"] = {"DataType": "String", "StringValue": self._settings.sender_id}
        request = {"PhoneNumber": number, "Message": text, "MessageAttributes": attributes}
        return str(_call(self._client.publish, request, "Amazon SNS")["MessageId"])


class EndUserMessagingCarrier:
    """AWS End User Messaging.

    Args:
        client: boto3's client ``pinpoint-sms-voice-v2``, without retries of its own.
        settings: of the tool.
    """

    def __init__(self, client: Any, settings: SmsSettings) -> None:
        self._client = client
        self._settings = settings

    def send(self, number: str, text: str, *, effect_key: str) -> str:
        """Hand over a text message once; see `TextCarrier`."""
        request = {
            "DestinationPhoneNumber": number,
            # phone-number/phone-1, pool/pool-1, sender-id/ACME/CH
            "OriginationIdentity": str(self._settings.origin).split("/")[1],
            "MessageBody": text,
            "MessageType": "TRANSACTIONAL",
            "MaxPrice": self._settings.max_price_usd,
            # In the events of the message, by which they are found.
            "Context": {"pentad-call": effect_key[:64]},
        }
        if self._settings.configuration_set is not None:
            request["ConfigurationSetName"] = self._settings.configuration_set
        return str(_call(self._client.send_text_message, request, "AWS End User Messaging")["MessageId"])


def _call(send: Callable[..., Mapping[str, Any]], request: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    try:
        return send(**request)
    except ClientError as error:
        raise _translate_error(error, name) from None
    except (ConnectTimeoutError, EndpointConnectionError):
        raise ToolThrottled(f"{name} could not be reached; nothing was sent") from None
    except BotoCoreError as error:
        raise _make_uncertain(name, type(error).__name__) from None


def _translate_error(error: ClientError, name: str) -> PentadError:
    code, status = code_of(error), error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    reason = str(error.response.get("Reason", ""))
    if code in _LATER:
        return ToolThrottled(f"{name} accepts no more messages for now: {code}; nothing was sent")
    if code in _OPERATOR:
        return ConfigurationError(
            f"{name} refused the message: {code}; nothing was sent",
            fix="deploy the tool with these settings: its role may send from 'origin' only",
        )
    if status >= 500:
        return _make_uncertain(name, code or str(status))
    told = _REASONS.get(reason) or ", ".join(filter(None, (code, reason)))
    if code in ("OptedOut", "OptedOutException") or "opted out" in str(error).lower():
        told = _REASONS["DESTINATION_PHONE_NUMBER_OPTED_OUT"]
    return ToolFailed(f"{name} refused the message: {told}; nothing was sent")


def _make_uncertain(name: str, what: str) -> EffectUncertain:
    return EffectUncertain(
        f"{name} gave no clear answer ({what}): the message may have been sent",
        fix="check the delivery logs, or ask the person, before sending it again",
    )
