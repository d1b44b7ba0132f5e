"""Send email by SMTP, with TLS and a step at a time: what was refused is known for each recipient."""

import base64
import re
import smtplib
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from pentad.domain.errors import (
    ConfigurationError,
    EffectUncertain,
    InvalidInput,
    ToolFailed,
    ToolThrottled,
    ToolUnavailable,
)
from pentad.tools.communication.emails import EmailSettings, build_message
from pentad.tools.communication.ports import EmailReceipt, OutgoingEmail, RefusedRecipient

_STEP_SECONDS = 15.0
"""One answer of the server, in seconds. RFC 5321 section 4.5.3.2 has minutes, which no tool call has."""
_LOGGED_IN, _GO_ON = 235, 334
_DOT = re.compile(rb"^\.", re.MULTILINE)
_ENHANCED = re.compile(rb"\s*([245]\.\d{1,3}\.\d{1,3})\b")
# RFC 5321 section 4.2.3 and RFC 3463: what a refusal means, in our words.
_REASONS = {
    "421": "the server closes the connection",
    "450": "the mailbox is busy, or the server is greylisting",
    "451": "the server had an error",
    "452": "the server is short of storage, or the mailbox is full",
    "550": "no such mailbox, or it may not be written to",
    "551": "the recipient is not local to the server",
    "552": "the mailbox is full",
    "553": "the server does not accept this address",
    "554": "the server refuses the transaction",
}


@dataclass(frozen=True)
class SmtpLogin:
    """Name and password at the mail server."""

    username: str
    password: str = field(repr=False)


class SmtpMailServer:
    """One server that takes email.

    Args:
        settings: host, port and security.
        login: of the secret; None where the server needs none.
        renew: lets ``login`` return another one after it was refused, or raises `ToolFailed`; None where it can't.
        tls: trusts the server's certificate; a test gives its own authority's.
        step_seconds: how long the server may take for one answer.
    """

    def __init__(
        self,
        settings: EmailSettings,
        *,
        login: Callable[[], SmtpLogin] | None,
        renew: Callable[[], None] | None = None,
        tls: ssl.SSLContext | None = None,
        step_seconds: float = _STEP_SECONDS,
    ) -> None:
        self._settings = settings
        self._login = login
        self._renew = renew
        self._tls = tls
        self._step_seconds = step_seconds

    def send(self, email: OutgoingEmail) -> EmailReceipt:
        """Hand over an email once; see `MailServer`."""
        content = build_message(email)
        try:
            server = self._connect()
        except ConfigurationError as error:
            if error.field != "secret" or not self._can_renew():
                raise
            server = self._connect()
        try:
            refused = self._open_transaction(server, email, len(content))
            self._hand_over(server, content)
        finally:
            # The email is taken or not, whatever becomes of the farewell.
            with suppress(OSError, smtplib.SMTPException):
                server.quit()
            server.close()
        return EmailReceipt(message_id=email.message_id, refused=tuple(refused))

    def _can_renew(self) -> bool:
        """Take another login, where there is one: it may have been rotated in this minute."""
        if self._renew is None:
            return False
        try:
            self._renew()
        except ToolFailed:
            return False
        except ToolUnavailable as error:
            raise ToolThrottled(f"{error.message}; nothing was sent") from error
        return True

    def _connect(self) -> smtplib.SMTP:
        settings = self._settings
        where = f"the mail server '{settings.host}:{settings.port}'"
        tls = self._tls or ssl.create_default_context()
        try:
            server = self._dial(tls)
            try:
                self._greet(server, tls)
            except BaseException:
                server.close()
                raise
        except smtplib.SMTPNotSupportedError as error:
            raise ConfigurationError(
                f"{where} offers no STARTTLS, or no login",
                field="security",
                fix="use a server with STARTTLS, or 'security: tls' and its port; 'secret: null' if it needs no login",
            ) from error
        except smtplib.SMTPAuthenticationError as error:
            raise _make_login_error(where, error.smtp_code) from None
        except ssl.SSLCertVerificationError as error:
            raise ConfigurationError(
                f"{where} has a certificate that is not valid for it: {error.verify_message}",
                field="host",
                fix="name the host as its certificate does",
            ) from error
        except (OSError, smtplib.SMTPException) as error:
            raise ToolThrottled(f"{where} could not be reached: {type(error).__name__}; nothing was sent") from None
        return server

    def _dial(self, tls: ssl.SSLContext) -> smtplib.SMTP:
        settings = self._settings
        # Without a name of its own smtplib would ask DNS for this machine's.
        own_name, seconds = settings.sender.rpartition("@")[2], self._step_seconds
        host = str(settings.host)
        if settings.security == "tls":
            return smtplib.SMTP_SSL(host, settings.port, timeout=seconds, local_hostname=own_name, context=tls)
        return smtplib.SMTP(host, settings.port, timeout=seconds, local_hostname=own_name)

    def _greet(self, server: smtplib.SMTP, tls: ssl.SSLContext) -> None:
        if self._settings.security == "starttls":
            server.starttls(context=tls)
        server.ehlo_or_helo_if_needed()
        if self._login is not None:
            _log_in(server, self._login())

    def _open_transaction(self, server: smtplib.SMTP, email: OutgoingEmail, size: int) -> list[RefusedRecipient]:
        """Name sender and recipients, and return those refused.

        Raises:
            InvalidInput: the email is larger than the server takes.
            ToolThrottled: nothing was sent; the refusal is temporary.
            ToolFailed: nothing was sent; sender or all recipients are refused for good.
        """
        limit = server.esmtp_features.get("size", "")
        if limit.isdecimal() and 0 < int(limit) < size:
            raise InvalidInput(
                f"the email has {size} bytes and the server takes {limit}", field="text", fix="shorten the text"
            )
        refused = []
        with _translate_break():
            code, words = server.mail(email.sender, [f"size={size}"] if "size" in server.esmtp_features else [])
            if code != 250:
                raise _make_refusal(f"the sender '{email.sender}'", code, words)
            for address in email.recipients:
                code, words = server.rcpt(address)
                if code not in (250, 251):
                    refused.append(_read_refusal(address, code, words))
        if len(refused) == len(email.recipients):
            told = "; ".join(f"'{one.address}': {one.code}, {one.reason}" for one in refused)
            kind = ToolThrottled if all(one.temporary for one in refused) else ToolFailed
            raise kind(f"nothing was sent, the mail server accepted no recipient: {told}")
        return refused

    def _hand_over(self, server: smtplib.SMTP, content: bytes) -> None:
        """Send the email itself.

        Raises:
            ToolThrottled: the server did not take it, for now.
            ToolFailed: the server did not take it.
            EffectUncertain: it has the email, or a part, and gave no answer.
        """
        with _translate_break():
            code, words = server.docmd("DATA")
        if code != 354:
            raise _make_refusal("the email", code, words)
        try:
            server.send(_DOT.sub(b"..", content.rstrip(b"\r\n") + b"\r\n") + b".\r\n")
            code, words = server.getreply()
        except (OSError, smtplib.SMTPException) as error:
            raise EffectUncertain(
                f"the mail server gave no answer when it had the email ({type(error).__name__}): it may have been sent",
                fix="ask the recipient, or check the server's log, before sending it again",
            ) from None
        if code != 250:
            raise _make_refusal("the email", code, words)


@contextmanager
def _translate_break() -> Iterator[None]:
    """What breaks inside broke before the server had the email, so a later try is harmless."""
    try:
        yield
    except (OSError, smtplib.SMTPException) as error:
        raise ToolThrottled(
            f"the mail server closed the connection: {type(error).__name__}; nothing was sent"
        ) from None


def _log_in(server: smtplib.SMTP, login: SmtpLogin) -> None:
    """Log in by one mechanism, once: `smtplib` tries them all, and servers hang up on the second wrong password.

    It also takes ASCII only; RFC 4616 has UTF-8.

    Raises:
        SMTPAuthenticationError: the server does not accept name and password.
        SMTPNotSupportedError: it offers no login that we know.
    """
    offered = server.esmtp_features.get("auth", "").upper().split()
    if "PLAIN" in offered:
        code, words = server.docmd("AUTH", f"PLAIN {_encode(f'{chr(0)}{login.username}{chr(0)}{login.password}')}")
    elif "LOGIN" in offered:
        code, words = server.docmd("AUTH", f"LOGIN {_encode(login.username)}")
        if code == _GO_ON:
            code, words = server.docmd(_encode(login.password))
    else:
        raise smtplib.SMTPNotSupportedError("no known mechanism")
    if code != _LOGGED_IN:
        raise smtplib.SMTPAuthenticationError(code, words)


def _encode(text: str) -> str:
    return base64.b64encode(text.encode("utf-8", "replace")).decode("ascii")


def _make_login_error(where: str, code: int) -> Exception:
    if 400 <= code < 500:
        return ToolThrottled(f"{where} refused the login for now: {code}; nothing was sent")
    return ConfigurationError(
        f"{where} does not accept the credential: {code}",
        field="secret",
        fix="correct 'username' and 'password' of the secret",
    )


def _read_refusal(address: str, code: int, words: bytes) -> RefusedRecipient:
    return RefusedRecipient(
        address=address, code=_read_code(code, words), reason=_explain(code), temporary=400 <= code < 500
    )


def _make_refusal(what: str, code: int, words: bytes) -> ToolFailed | ToolThrottled:
    message = f"the mail server refused {what}: {_read_code(code, words)}, {_explain(code)}; nothing was sent"
    return ToolThrottled(message) if 400 <= code < 500 else ToolFailed(message)


def _read_code(code: int, words: bytes) -> str:
    found = _ENHANCED.match(words)
    return f"{code} {found[1].decode()}" if found else str(code)


def _explain(code: int) -> str:
    return _REASONS.get(str(code), "refused for now" if 400 <= code < 500 else "refused")
