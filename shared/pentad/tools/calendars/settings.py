"""What ``tools.yaml`` says of a calendar."""

import zoneinfo
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from pentad.domain.values import FrozenValue
from pentad.tools.communication.addresses import check_patterns

GOOGLE_URL = "https://www.googleapis.com/calendar/v3"


class CalendarSettings(FrozenValue):
    """One calendar.

    Args:
        provider: ``caldav`` or ``google``.
        url: of the calendar's collection for CalDAV.
        calendar: id of the calendar for Google; ``primary`` is that of whose token it is.
        timezone: of times that are given without one.
        attendee_domains: who may be invited: ``example.com``, ``*.example.com``, ``*``; nobody where it is empty.
        secret: name of the secret: ``username`` and ``password`` for CalDAV, ``token`` for Google.
    """

    provider: Literal["caldav", "google"]
    url: str = Field(default=GOOGLE_URL, pattern=r"^https?://[^\s/?#@]+(/[^\s?#]*)?$", max_length=500)
    calendar: str = Field(default="primary", min_length=1, max_length=200)
    timezone: str = "UTC"
    attendee_domains: tuple[str, ...] = Field(default=(), max_length=50)
    secret: str = "calendar"  # noqa: S105 - a name

    @field_validator("timezone")
    @classmethod
    def _check_zone(cls, value: str) -> str:
        try:
            zoneinfo.ZoneInfo(value)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"'{value}' is not a time zone; use an IANA name, such as Europe/Zurich") from error
        return value

    @field_validator("attendee_domains")
    @classmethod
    def _check_domains(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        check_patterns(value)
        return value

    @model_validator(mode="after")
    def _check_url(self) -> Self:
        if self.provider == "caldav" and self.url == GOOGLE_URL:
            raise ValueError("'caldav' needs 'url'; give the address of the calendar's collection")
        return self
