"""What is refused before any server is asked, and how a message looks on the wire."""

import email
import email.policy
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from pentad.domain.errors import InvalidInput, PolicyDenied
from pentad.tools.communication.addresses import check_address, check_phone
from pentad.tools.communication.emails import EmailSettings, build_message, send
from pentad.tools.communication.ports import EmailReceipt, OutgoingEmail

AT = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)


class Outbox:
    """Takes all email."""

    def __init__(self) -> None:
        self.taken: list[OutgoingEmail] = []

    def send(self, email: OutgoingEmail) -> EmailReceipt:
        self.taken.append(email)
        return EmailReceipt(message_id=email.message_id)


def make_settings(**given: Any) -> EmailSettings:
    usual = {"sender": "desk@example.com", "host": "mail", "recipient_domains": ("example.com",)}
    return EmailSettings(**usual | given)


def send_one(outbox: Outbox, settings: EmailSettings | None = None, **given: Any) -> Any:
    words: dict[str, Any] = {
        "to": ["mary@example.com"],
        "subject": "Hello",
        "text": "Hello, Mary.",
        "effect_key": "k" * 64,
        "at": AT,
    }
    return send(settings or make_settings(), outbox, **words | given)


@pytest.mark.parametrize(
    "address",
    [
        "mary",
        "mary@",
        "@example.com",
        "mary@example",
        "mary@example.com\r\nBcc: eve@evil.com",
        "mary@exa\rmple.com",
        "mary@example.com, eve@evil.com",
        "Mary <mary@example.com>",
        '"a b"@example.com',
        "ma\u0000ry@example.com",
        "märy@example.com",
        "mary@[127.0.0.1]",
        "mary@-example.com",
        "mary@example..com",
        "<mary@example.com>",
        "mary@example.com SIZE=1",
        "mary%evil.com@@example.com",
        "a" * 65 + "@example.com",
        "mary@" + "a." * 130 + "com",
        "mary..jones@example.com",
        "mary@ex\u200dample.com",
    ],
)
def test_what_is_no_plain_address_is_refused(address: str) -> None:
    outbox = Outbox()
    with pytest.raises(InvalidInput, match="is not an email address") as caught:
        send_one(outbox, to=[address])
    assert caught.value.field == "to"
    assert outbox.taken == []


@pytest.mark.parametrize(
    ("address", "plain"),
    [
        (" mary@Example.COM ", "mary@example.com"),
        ("o'hara+news@example.com", "o'hara+news@example.com"),
        ("mary@müller.example", "mary@xn--mller-kva.example"),
        ("mary@example.com.", "mary@example.com"),
        ("mary@stra\u00dfe.example", "mary@xn--strae-oqa.example"),
        ("mary@\u03b1\u03c2.example", "mary@xn--mxa8a.example"),
    ],
)
def test_an_address_is_brought_to_its_plain_form(address: str, plain: str) -> None:
    assert check_address(address, "to") == plain


@pytest.mark.parametrize(
    ("allowed", "address", "passes"),
    [
        (("example.com",), "a@example.com", True),
        (("example.com",), "a@mail.example.com", False),
        (("*.example.com",), "a@mail.example.com", True),
        (("*.example.com",), "a@example.com", False),
        (("*.example.com",), "a@badexample.com", False),
        (("Example.com",), "a@EXAMPLE.com", True),
        (("example.com",), "a@example.com.evil.org", False),
        (("müller.example",), "a@xn--mller-kva.example", True),
        (("*",), "a@any.org", True),
        (("strasse.example",), "a@stra\u00dfe.example", False),
        (("stra\u00dfe.example",), "a@stra\u00dfe.example", True),
    ],
)
def test_only_domains_of_the_settings_are_written_to(allowed: tuple[str, ...], address: str, passes: bool) -> None:
    outbox, settings = Outbox(), make_settings(recipient_domains=allowed)
    if passes:
        send_one(outbox, settings, to=[], bcc=[address])
        assert len(outbox.taken) == 1
        return
    with pytest.raises(PolicyDenied, match="recipient_domains"):
        send_one(outbox, settings, to=[], cc=[address])
    assert outbox.taken == []


@pytest.mark.parametrize(
    "subject", ["Hi\r\nBcc: eve@evil.com", "Hi\nthere", "Hi\u2028there", "Hi\u0000", "Hi\x0bthere"]
)
def test_a_subject_of_two_lines_is_refused(subject: str) -> None:
    with pytest.raises(InvalidInput, match="line break"):
        send_one(Outbox(), subject=subject)


def test_a_recipient_who_is_named_twice_gets_one_email_and_counts_once() -> None:
    outbox = Outbox()
    sent = send_one(outbox, make_settings(max_recipients=1), cc=["mary@EXAMPLE.com"])
    assert sent.accepted == ("mary@example.com",)


def test_too_many_and_no_recipients_are_refused() -> None:
    with pytest.raises(InvalidInput, match="3 recipients, and 2 are allowed"):
        send_one(Outbox(), make_settings(max_recipients=2), to=[f"m{number}@example.com" for number in range(3)])
    with pytest.raises(InvalidInput, match="no recipient"):
        send_one(Outbox(), to=[])


def test_the_same_call_has_the_same_message_id_and_another_call_another() -> None:
    outbox = Outbox()
    for key in ("a" * 64, "a" * 64, "b" * 64):
        send_one(outbox, effect_key=key)
    first, again, other = (one.message_id for one in outbox.taken)
    assert first == again == f"<{'a' * 40}@example.com>"
    assert other != first


def test_the_message_is_seven_bit_has_its_headers_once_and_hides_bcc() -> None:
    outbox = Outbox()
    send_one(
        outbox,
        make_settings(sender_name='Müller, "Desk"', reply_to="ask@example.com"),
        subject="Grüße " * 40,
        text="First.\r\n.hidden dot\nBcc: eve@evil.com\r\n" + "ä" * 2000,
        html_text="<p>Grüße</p>",
        bcc=["boss@example.com"],
    )
    content = build_message(outbox.taken[0])
    assert content.isascii()
    assert all(len(line) <= 998 for line in content.split(b"\r\n"))
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert b"boss" not in content
    read = email.message_from_bytes(content, policy=email.policy.default)
    assert read["Bcc"] is None
    assert read["Subject"] == ("Grüße " * 40).strip()
    assert read["From"].addresses[0].display_name == 'Müller, "Desk"'
    assert read["Date"].datetime == AT
    assert read["Reply-To"] == "ask@example.com"
    body = read.get_body(("plain",))
    assert body is not None
    assert body.get_content().replace("\r\n", "\n").startswith("First.\n.hidden dot\nBcc: eve@evil.com\n")
    assert read.get_body(("html",)) is not None


def test_half_a_character_in_a_body_is_replaced() -> None:
    outbox = Outbox()
    send_one(outbox, text="cut \ud83d", html_text="<p>\ud83d</p>")
    assert (outbox.taken[0].text, outbox.taken[0].html) == ("cut \ufffd", "<p>\ufffd</p>")
    assert build_message(outbox.taken[0]).isascii()
    with pytest.raises(InvalidInput):
        send_one(outbox, subject="cut \ud83d")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"host": None}, "needs 'host'"),
        ({"security": "none"}, "would send the credential in clear"),
        ({"sender": "Desk <desk@example.com>"}, "not an email address"),
        ({"sender_name": "Desk\r\nBcc: eve@evil.com"}, "sender_name"),
        ({"recipient_domains": ()}, "at least 1 item"),
        ({"recipient_domains": ("example.com", "@evil.com")}, "is not a domain"),
        ({"recipient_domains": ("*.*",)}, "is not a domain"),
        ({"recipient_domains": ("com",)}, "is not a domain"),
        ({"max_recipients": 51}, "less than or equal to 50"),
    ],
)
def test_settings_that_can_not_be_are_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        make_settings(**given)


@pytest.mark.parametrize(
    "number",
    [
        "030 123456",
        "+0301234567",
        "+49",
        "+49 30 x",
        "+4930123456789012",
        "",
        "+\uff14\uff19301234567",
        "+4\u0669\u0663\u0660\u0661\u0662\u0663\u0664\u0665\u0666",
    ],
)
def test_what_is_no_phone_number_is_refused(number: str) -> None:
    with pytest.raises(InvalidInput, match=r"E\.164"):
        check_phone(number, ["+"], "to")


def test_a_phone_number_is_brought_to_its_plain_form_and_its_country_checked() -> None:
    assert check_phone("+49 (30) 123-45.67", ["+49"], "to") == "+49301234567"
    assert check_phone("+49 (0)30 1234567", ["+49"], "to") == check_phone("+49( 0 )30/1234567", ["+49"], "to")
    assert check_phone("+49(0)30 1234567", ["+49"], "to") == "+49301234567"
    with pytest.raises(PolicyDenied, match="prefixes"):
        check_phone("+1 202 555 0100", ["+49", "+44"], "to")
