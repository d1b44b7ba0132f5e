"""Messages to Slack, Teams and phones: once, to whom the settings name, and as they were written."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from moto import mock_aws

from functions.library.communication.send_slack_message import send_slack_message
from functions.library.communication.send_teams_message import send_teams_message
from pentad.domain.errors import (
    ConfigurationError,
    EffectUncertain,
    InvalidInput,
    PentadError,
    ToolFailed,
    ToolThrottled,
    ToolUnavailable,
)
from pentad.domain.runs import CallStatus
from pentad.tools.communication.adapters.text_aws import EndUserMessagingCarrier, SnsCarrier
from pentad.tools.communication.texts import SmsSettings, send
from tests.contract.tools.vendors.chats import CHANNEL, EndUserMessaging, Slack, Workflow
from tests.contract.tools.vendors.server import TOKEN, Fault, PlainHttp, Reply, listen
from tests.contract.tools.vendors.worlds import make_world
from tests.moto_clients import new_client
from tests.unit.tools.worlds import Crash, Crashing, World

UNCLEAR = [None, Reply(503), Reply(200, {"ok": False, "error": "internal_error"}), Reply(200, b"<html>")]
REFUSALS = ["is_archived", "not_in_channel", "msg_too_long", "token_revoked", "restricted_action", ""]
SIGNED = "/workflows/abc/triggers/manual/paths/invoke?api-version=1&sig=the-signature"


class Workspace:
    """Slack, and calls of the tool at it."""

    def __init__(self, slack: Slack, url: str) -> None:
        self.slack, self._url = slack, url

    def call(self, secret: Any = TOKEN, **arguments: Any) -> World:
        given = {"channel": "support", "text": "Hello", **arguments}
        settings = {"channels": {"support": CHANNEL, "gone": "C0000000000"}, "url": f"{self._url}/api"}
        return make_world(send_slack_message, given, settings=settings, secrets={"slack": secret}, http=PlainHttp())


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    slack = Slack()
    with listen(slack) as url:
        yield Workspace(slack, url)


def test_a_message_is_posted_as_it_was_written_and_deleted_on_demand(workspace: Workspace) -> None:
    text = "Hi <!channel> & <@U0123456789>: <https://evil.com|your bank> *bold* 🎉"
    world = workspace.call(text=text, channel="#support")
    world.execute()
    (message,) = workspace.slack.messages.values()
    assert message["text"] == (
        "Hi &lt;!channel&gt; &amp; &lt;@U0123456789&gt;: &lt;https://evil.com|your bank&gt; *bold* 🎉"
    )
    assert (message["unfurl_links"], message["unfurl_media"]) == (False, False)
    answer = workspace.call(thread=world.result["message_id"])
    answer.execute()
    assert workspace.slack.messages[answer.result["message_id"]]["thread_ts"] == message["ts"]
    world.undo()
    world.undo()
    assert list(workspace.slack.messages) == [answer.result["message_id"]]
    del workspace.slack.messages[answer.result["message_id"]]
    answer.undo()
    assert answer.call.status is CallStatus.UNDONE


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"channel": "random"}, "no channel 'random'"),
        ({"channel": "C9999999999"}, "no channel"),
        ({"thread": "1"}, "not a message"),
        ({"thread": "1700000000.000100\r\n"}, "not a message"),
        ({"channel": "gone"}, "channel_not_found"),
    ],
)
def test_a_channel_that_the_settings_do_not_name_gets_nothing(
    workspace: Workspace, arguments: dict[str, str], words: str
) -> None:
    world = workspace.call(**arguments)
    world.execute()
    assert world.call.is_error
    assert words in str(world.call.result)
    assert workspace.slack.messages == {}


@pytest.mark.parametrize("thread", [None, "1700000000.000100"])
@pytest.mark.parametrize("done", [True, False])
@pytest.mark.parametrize("reply", UNCLEAR)
def test_a_message_that_slack_did_not_answer_is_posted_once(
    workspace: Workspace, reply: Reply | None, done: bool, thread: str | None
) -> None:
    first = workspace.call(text="first")
    first.execute()
    world = workspace.call() if thread is None else workspace.call(thread=thread)
    workspace.slack.faults = [Fault(done, reply, "POST")]
    with pytest.raises(ToolUnavailable):
        world.execute()
    world.execute()
    assert world.call.status is CallStatus.SUCCEEDED
    assert [one["text"] for one in workspace.slack.messages.values()] == ["first", "Hello"]
    world.undo()
    assert len(workspace.slack.messages) == 1


def test_a_message_whose_runner_died_is_found(workspace: Workspace) -> None:
    world = workspace.call()
    world.effects = Crashing(world.effects, "finish", before=True)
    with pytest.raises(Crash):
        world.execute()
    world.execute()
    assert len(workspace.slack.messages) == 1
    assert world.result["message_id"] in workspace.slack.messages


def test_where_messages_can_not_be_read_nothing_is_repeated(workspace: Workspace) -> None:
    workspace.slack.readable = False
    assert count_posted_in_doubt(workspace) == 0


def test_where_there_are_too_many_messages_to_look_at_nothing_is_repeated(workspace: Workspace) -> None:
    workspace.slack.messages = {str(number): {"ts": str(number), "text": "x"} for number in range(300)}
    assert count_posted_in_doubt(workspace) == 0


def count_posted_in_doubt(workspace: Workspace) -> int:
    """Post a message that Slack takes no notice of, twice, and return how many there are once that is told."""
    before = len(workspace.slack.messages)
    world = workspace.call()
    workspace.slack.faults = [Fault(False, None, "POST")]
    with pytest.raises(ToolUnavailable):
        world.execute()
    world.execute()
    told = str(world.call.result)
    for words in (
        "EffectUncertain",
        "not known whether it did",
        "was not posted again",
        "look for the message in Slack",
    ):
        assert words in told
    return len(workspace.slack.messages) - before


def test_slack_s_limits_come_in_two_forms_and_nothing_is_done(workspace: Workspace) -> None:
    workspace.slack.faults = [
        Fault(False, Reply(429, {"ok": False, "error": "ratelimited"}, {"retry-after": "30"}), "POST")
    ]
    workspace.slack.errors = ["ratelimited"]
    world = workspace.call()
    with pytest.raises(ToolThrottled) as caught:
        world.execute()
    assert caught.value.retry_after == 30
    with pytest.raises(ToolThrottled):
        world.execute()
    world.execute()
    assert len(workspace.slack.messages) == 1


@pytest.mark.parametrize("error", REFUSALS)
def test_what_slack_refuses_with_200_is_an_error(workspace: Workspace, error: str) -> None:
    workspace.slack.errors = [error]
    world = workspace.call()
    if error == "":
        with pytest.raises(ToolUnavailable):
            world.execute()
        return
    world.execute()
    assert world.call.is_error
    assert error in str(world.call.result)


def test_a_token_that_is_rotated_in_the_middle_is_read_again(workspace: Workspace) -> None:
    world = workspace.call([json.dumps({"token": "rotated-away"}), json.dumps({"token": TOKEN})])
    world.execute()
    assert len(workspace.slack.messages) == 1


class Channel:
    """A workflow of Teams, and calls of the tool at it."""

    def __init__(self, workflow: Workflow, url: str) -> None:
        self.workflow, self._url = workflow, url

    def call(self, path: str = SIGNED, **arguments: Any) -> World:
        settings = {"channels": ["teams-support"], "hosts": [self._url]}
        given = {"channel": "teams-support", "text": "Hello", **arguments}
        secrets = {"teams-support": f"{self._url}{path}"}
        return make_world(send_teams_message, given, settings=settings, secrets=secrets, http=PlainHttp())


@pytest.fixture
def teams() -> Iterator[Channel]:
    workflow = Workflow()
    with listen(workflow) as url:
        yield Channel(workflow, url)


def test_a_card_shows_words_as_they_stand(teams: Channel) -> None:
    text = "[your bank](https://evil.com) **x** <at>all</at> ![a](https://evil.com/?q=1)"
    world = teams.call(text=text, title="Order 5")
    world.execute()
    assert world.call.status is CallStatus.SUCCEEDED, world.call.result
    (card,) = teams.workflow.cards
    assert [block["type"] for block in card["body"]] == ["RichTextBlock", "RichTextBlock"]
    assert card["body"][1]["inlines"] == [{"type": "TextRun", "text": text}]
    assert "the-signature" not in str(world.call)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/workflows/old?sig=the-signature", "knows no such workflow"),
        (None, "may have been posted"),
    ],
)
def test_no_error_of_teams_shows_the_address(teams: Channel, path: str | None, words: str) -> None:
    if path is None:
        teams.workflow.faults = [Fault(True, None, "POST")]
    world = teams.call(path or SIGNED)
    world.execute()
    assert world.call.is_error
    assert words in str(world.call.result)
    assert "the-signature" not in str(world.call)
    assert "sig=" not in str(world.call)


def test_a_message_to_teams_is_not_repeated(teams: Channel) -> None:
    world = teams.call()
    world.effects = Crashing(world.effects, "finish", before=True)
    with pytest.raises(Crash):
        world.execute()
    world.execute()
    assert "EffectUncertain" in str(world.call.result)
    assert len(teams.workflow.cards) == 1


@pytest.mark.parametrize("secret", ["", "not an address", "ftp://x/y", "https://"])
def test_a_secret_that_is_no_address_is_the_operators_to_mend(secret: str) -> None:
    settings = {"channels": ["a"]}
    arguments = {"channel": "a", "text": "x"}
    world = make_world(send_teams_message, arguments, settings=settings, secrets={"a": secret}, http=PlainHttp())
    world.execute()
    assert "ConfigurationError" in str(world.call.result)


def make_settings(**given: Any) -> SmsSettings:
    return SmsSettings(**{"prefixes": ("+41", "+49"), "origin": "phone-number/phone-1", **given})


@pytest.fixture
def messaging() -> Iterator[tuple[EndUserMessaging, Any]]:
    vendor = EndUserMessaging()
    with listen(vendor) as url:
        client = boto3.client(
            "pinpoint-sms-voice-v2",
            region_name="eu-central-1",
            endpoint_url=url,
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
            config=Config(retries={"total_max_attempts": 1}, read_timeout=2),
        )
        yield vendor, client


def test_a_text_message_goes_to_the_number_with_its_limits(messaging: tuple[EndUserMessaging, Any]) -> None:
    vendor, client = messaging
    settings = make_settings(origin="sender-id/ACME/CH", configuration_set="events")
    carrier = EndUserMessagingCarrier(client, settings)
    sent = send(settings, carrier, to="+41 79 123 45 67", text="Hi", effect_key="k" * 64)
    assert (sent.to, sent.message_id, sent.parts) == ("+41791234567", "message-1", 1)
    (request,) = vendor.sent
    assert request["OriginationIdentity"] == "ACME"
    assert request["MaxPrice"] == "0.50"
    assert request["Context"] == {"pentad-call": "k" * 64}
    assert request["ConfigurationSetName"] == "events"


@pytest.mark.parametrize(
    ("refusal", "error", "words"),
    [
        ((400, "ConflictException", "DESTINATION_PHONE_NUMBER_OPTED_OUT"), ToolFailed, "opted out"),
        ((400, "ServiceQuotaExceededException", "MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT"), ToolFailed, "limit of money"),
        ((400, "ValidationException", "INVALID_PARAMETER"), ToolFailed, "INVALID_PARAMETER"),
        ((400, "ThrottlingException", ""), ToolThrottled, "nothing was sent"),
        ((400, "AccessDeniedException", ""), ConfigurationError, "AccessDenied"),
        ((500, "InternalServerException", ""), EffectUncertain, "may have been sent"),
    ],
)
def test_a_refusal_of_the_carrier_is_told_by_what_it_means(
    messaging: tuple[EndUserMessaging, Any], refusal: Any, error: type[PentadError], words: str
) -> None:
    vendor, client = messaging
    vendor.refusals = [refusal]
    settings = make_settings()
    with pytest.raises(error, match=words):
        send(settings, EndUserMessagingCarrier(client, settings), to="+41791234567", text="Hi", effect_key="k")


def test_a_carrier_that_hangs_up_is_uncertain(messaging: tuple[EndUserMessaging, Any]) -> None:
    vendor, client = messaging
    vendor.faults = [Fault(True, None, "POST")]
    settings = make_settings()
    with pytest.raises(EffectUncertain):
        send(settings, EndUserMessagingCarrier(client, settings), to="+41791234567", text="Hi", effect_key="k")
    assert len(vendor.sent) == 1


def test_sns_sends_and_tells_who_opted_out() -> None:
    with mock_aws():
        client = new_client("sns")
        settings = make_settings(backend="sns", origin=None, sender_id="ACME")
        sent = send(settings, SnsCarrier(client, settings), to="+41791234567", text="Hi", effect_key="k")
        assert sent.message_id

    def refuse(**_: Any) -> tuple[Any, dict[str, Any]]:
        answer = type("Answer", (), {"status_code": 400})
        message = "Invalid parameter: PhoneNumber Reason: +41791234567 is opted out"
        return answer, {"Error": {"Code": "InvalidParameter", "Message": message}, "ResponseMetadata": {}}

    client.meta.events.register("before-call.sns.Publish", refuse)
    with pytest.raises(ToolFailed, match="opted out"):
        send(settings, SnsCarrier(client, settings), to="+41791234567", text="Hi", effect_key="k")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("ä" * 160, 1),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("漢" * 70, 1),
        ("漢" * 71, 2),
        ("🎉" * 35, 1),
        ("🎉" * 36, 2),
    ],
)
def test_parts_are_counted_as_carriers_do(text: str, parts: int) -> None:
    class Carrier:
        def send(self, number: str, text: str, *, effect_key: str) -> str:
            return "m"

    assert send(make_settings(), Carrier(), to="+41791234567", text=text, effect_key="k").parts == parts
    with pytest.raises(InvalidInput, match="parts"):
        send(make_settings(max_parts=1), Carrier(), to="+41791234567", text=text + "漢" * 71, effect_key="k")


@pytest.mark.parametrize(
    "given",
    [
        {"origin": None},
        {"origin": "phone-1"},
        {"origin": "sender-id/ACME"},
        {"prefixes": ("41",)},
        {"prefixes": ()},
        {"max_price_usd": "a lot"},
        {"max_price_usd": "1000.00"},
    ],
)
def test_settings_that_can_not_be_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="SmsSettings"):
        make_settings(**given)
