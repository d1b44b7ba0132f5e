"""Send a text message (SMS): to countries that the settings name, in few parts, and never twice."""

import re
from typing import Literal, Self

from pydantic import Field, model_validator

from pentad.domain.errors import InvalidInput
from pentad.domain.values import FrozenValue
from pentad.tools.communication.addresses import check_phone
from pentad.tools.communication.ports import TextCarrier
from pentad.tools.outside.aws_actions import AwsAction

# GSM 03.38: what takes 7 bits, and what takes twice as much. Anything else makes the whole message 16 bits a character.
_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_DOUBLE = frozenset("^{}\\[~]|€\f")
_ORIGIN = re.compile(r"(?:phone-number|pool)/[\w-]{1,100}|sender-id/[A-Za-z0-9_-]{1,11}/[A-Z]{2}")


class SmsSettings(FrozenValue):
    """How text messages are sent, and to whom.

    Args:
        backend: ``eum`` for AWS End User Messaging, ``sns`` for Amazon SNS.
        prefixes: beginnings of numbers that may be written to, such as ``+41``; ``+`` for any.
        origin: of ``eum``, what it is sent from: ``phone-number/phone-1``, ``pool/pool-1`` or ``sender-id/ACME/CH``.
        sender_id: of ``sns``, the name that is shown where a country allows one.
        configuration_set: of ``eum``.
        max_parts: parts of one message at most; each is paid for.
        max_price_usd: of one message; it is not sent where it would cost more.
    """

    backend: Literal["eum", "sns"] = "eum"
    prefixes: tuple[str, ...] = Field(min_length=1, max_length=50)
    origin: str | None = Field(default=None, pattern=_ORIGIN.pattern)
    sender_id: str | None = Field(default=None, pattern=r"^[A-Za-z0-9]{1,11}$")
    configuration_set: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_-]{1,64}$")
    max_parts: int = Field(default=3, ge=1, le=10)
    max_price_usd: str = Field(default="0.50", pattern=r"^[0-9]{1,2}\.[0-9]{2,5}$")

    @model_validator(mode="after")
    def _check_origin(self) -> Self:
        if any(not re.fullmatch(r"\+[0-9]{0,6}", prefix) for prefix in self.prefixes):
            raise ValueError("a prefix is + and digits, such as +41")
        if self.backend == "eum" and self.origin is None:
            raise ValueError("the backend 'eum' needs 'origin'; give phone-number/phone-..., pool/... or sender-id/...")
        return self

    def list_aws_actions(self) -> tuple[AwsAction, ...]:
        """Return what the carrier asks of the role. A number has no resource in SNS; no topic is reached."""
        if self.backend == "sns":
            return (AwsAction(action="sns:Publish", resources=("*",)),)
        names = [str(self.origin)] + ([f"configuration-set/{self.configuration_set}"] if self.configuration_set else [])
        return (AwsAction(action="sms-voice:SendTextMessage", resources=tuple(f"sms-voice:{name}" for name in names)),)


class SentSms(FrozenValue):
    """What the model is told of a text message."""

    to: str
    message_id: str
    parts: int = Field(description="each is paid for")


def send(settings: SmsSettings, carrier: TextCarrier, *, to: str, text: str, effect_key: str) -> SentSms:
    """Send one text message.

    Raises:
        InvalidInput: the number is none, or the text too long.
        PolicyDenied: its country is not allowed.
        ToolThrottled, ToolFailed, EffectUncertain, ConfigurationError: see `TextCarrier`.
    """
    number = check_phone(to, settings.prefixes, "to")
    if not text.strip() or any(not mark.isprintable() and mark not in "\n\r" for mark in text):
        raise InvalidInput("the text is empty or holds a control character", field="text", fix="write plain words")
    parts = count_parts(text)
    if parts > settings.max_parts:
        raise InvalidInput(
            f"the text takes {parts} parts, and {settings.max_parts} are allowed",
            field="text",
            fix="shorten it; characters outside of the alphabet of SMS, such as emoji, take twice the room",
        )
    return SentSms(to=number, message_id=carrier.send(number, text, effect_key=effect_key), parts=parts)


def count_parts(text: str) -> int:
    """Return the parts that a text is sent in: 160 characters of 7 bits or 70 of 16; less in each of several."""
    if all(mark in _BASIC or mark in _DOUBLE for mark in text):
        length, alone, each = sum(2 if mark in _DOUBLE else 1 for mark in text), 160, 153
    else:
        length, alone, each = len(text.encode("utf-16-le")) // 2, 70, 67
    return 1 if length <= alone else -(-length // each)
