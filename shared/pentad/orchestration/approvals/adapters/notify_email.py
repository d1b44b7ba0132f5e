"""Notices by email, sent by SES."""

from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from pentad.aws.errors import code_of, translate_errors
from pentad.domain.errors import ConfigurationError
from pentad.orchestration.approvals.notices import ANY_GROUP
from pentad.orchestration.approvals.ports import Notice

_REFUSED = frozenset(
    {"BadRequestException", "MailFromDomainNotVerifiedException", "MessageRejected", "NotFoundException"}
)


class EmailNotifier:
    """A `Notifier` by email.

    Args:
        client: a low-level client of SES's second API.
        sender: a verified identity.
        receivers: addresses by group; ``*`` stands for any group that is not named.
    """

    def __init__(self, client: Any, sender: str, receivers: Mapping[str, Sequence[str]]) -> None:
        self._client = client
        self._sender = sender
        self._receivers = receivers

    def send(self, notice: Notice) -> bool:
        """See `Notifier`."""
        receivers = self._receivers.get(notice.group, self._receivers.get(ANY_GROUP, ()))
        if not receivers:
            return False
        with translate_errors("the email service"):
            try:
                self._client.send_email(
                    FromEmailAddress=self._sender,
                    Destination={"ToAddresses": list(receivers)},
                    Content={
                        "Simple": {
                            "Subject": {"Data": notice.subject, "Charset": "UTF-8"},
                            "Body": {"Text": {"Data": notice.text, "Charset": "UTF-8"}},
                        }
                    },
                )
            except ClientError as error:
                if code_of(error) not in _REFUSED:
                    raise
                raise ConfigurationError(
                    f"the email service refused the notice: {code_of(error)}",
                    fix="verify the sender (and, in the sandbox, the receivers) in SES",
                ) from error
        return True
