"""The tool that sends a text message."""

from typing import Annotated

from pydantic import Field

from pentad.aws.clients import get_client
from pentad.tools.communication import texts
from pentad.tools.communication.adapters.text_aws import EndUserMessagingCarrier, SnsCarrier
from pentad.tools.communication.ports import TextCarrier
from pentad.tools.communication.texts import SentSms, SmsSettings
from pentad.tools.declare import ToolContext, tool


def _make_carrier(settings: SmsSettings) -> TextCarrier:
    if settings.backend == "sns":
        return SnsCarrier(get_client("sns", attempts=1), settings)
    return EndUserMessagingCarrier(get_client("pinpoint-sms-voice-v2", attempts=1), settings)


@tool(
    effects="external",
    settings=SmsSettings,
    approval="always",
    # No carrier knows a message again: a call that was cut off is not repeated.
    idempotent=False,
    rate_limit="5/minute per user, 50/day per user, 500/day per tenant",
    timeout_seconds=40,
)
def send_sms(
    to: Annotated[str, Field(min_length=1, max_length=40, description="with + and the country code: +41791234567")],
    text: Annotated[str, Field(min_length=1, max_length=1_600, description="short: each 160 characters are paid for")],
    context: ToolContext,
) -> SentSms:
    """Send a text message (SMS) to a phone. A human sees it first and decides.

    It costs money and can't be taken back.
    """
    settings = context.settings_of(SmsSettings)
    return texts.send(settings, _make_carrier(settings), to=to, text=text, effect_key=context.effect_key)
