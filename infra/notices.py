"""How humans learn that something waits for them: what a project's cdk.json says of ``notices``."""

from typing import Annotated, Any

from pydantic import Field, ValidationError

from pentad.domain.declarations.asking import GROUP_PATTERN
from pentad.domain.errors import ConfigurationError
from pentad.domain.values import FrozenValue

_Address = Annotated[str, Field(max_length=320, pattern=r"^[^\s@]+@[^\s@]+\.[^\s@]+$")]
_Group = Annotated[str, Field(pattern=rf"^\*$|{GROUP_PATTERN}")]


class Channels(FrozenValue):
    """Where the notices to one group go, beside the topic, which gets all of them.

    Attributes:
        slack: to the group's webhook, or the default one, in the secret ``{prefix}/slack``; nowhere while it has none.
        email: to these addresses.
    """

    slack: bool = Field(default=False, strict=True)
    email: tuple[_Address, ...] = Field(default=(), max_length=50)

    def list_enabled(self) -> tuple[str, ...]:
        """Return the names of the channels."""
        wanted = {"topic": True, "slack": self.slack, "email": bool(self.email)}
        return tuple(name for name, on in wanted.items() if on)


class NoticeSettings(FrozenValue):
    """What a stage says of its notices.

    Attributes:
        link: what an approval's id is put behind, such as a console's address; None for the API's own.
        email_from: the sender, whose address or domain is a verified identity of SES; None for no emails.
        groups: by group; ``*`` stands for any group that is not named.
    """

    link: str | None = Field(default=None, max_length=2048, pattern=r"^https?://\S+$")
    email_from: _Address | None = None
    groups: dict[_Group, Channels] = Field(
        default_factory=lambda: {"*": Channels(slack=True)}, min_length=1, max_length=50
    )


NOTICES = NoticeSettings()
"""Of every stage that the context's ``notices`` does not name."""


def read_notices(values: Any) -> NoticeSettings:
    """Return what a project's cdk.json says of a stage's notices: ``{link?, email_from?, groups?: {GROUP: Channels}}``.

    Raises:
        ConfigurationError: it has a name that is not known, a value that is not well formed, or emails that nobody
            sends.
    """
    try:
        said = NoticeSettings.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"] if part != "[key]")
        why = f"no field '{place}'" if first["type"] == "extra_forbidden" else f"{place}: {first['msg']}"
        raise ConfigurationError(
            f"cdk.json: notices: {why.removeprefix(': ')}",
            field="notices",
            fix="a stage has link, email_from and groups; a group has slack (true or false) and email (a list of "
            "addresses); its name is '*', or small letters, digits and dashes",
        ) from error
    told = sorted(name for name, one in said.groups.items() if one.email)
    if told and said.email_from is None:
        raise ConfigurationError(
            f"cdk.json: notices: the group '{told[0]}' is told by email, and the stage has no sender",
            field="notices",
            fix="add email_from, an address that SES has verified, or leave email out",
        )
    return said
