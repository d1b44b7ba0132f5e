"""What ``tools.yaml`` says of a system of record: where it is, and which kinds and fields tools may touch."""

import re
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from pentad.domain.errors import InvalidInput, PolicyDenied
from pentad.domain.values import FrozenValue

HUBSPOT_URL = "https://api.hubapi.com"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,99}")


class KindSettings(FrozenValue):
    """One kind of record.

    Args:
        read: names of fields that tools may read and search by.
        write: names of fields that tools may set; none where it is only read.
        create: new records may be made.
        marker: a text field that keeps which call made a record; without it a call that was cut off is not repeated.
            At HubSpot it has to be unique, at Salesforce an external id.
        cancel: the method that cancels a record, such as ``action_cancel`` of Odoo's ``sale.order``.
        uncancel: the method that takes it back, such as ``action_draft``; without it a cancellation has no undo.
        remove: `crm_cancel` may remove records, to where the vendor keeps them for a while.
    """

    read: tuple[str, ...] = Field(min_length=1, max_length=100)
    write: tuple[str, ...] = Field(default=(), max_length=100)
    create: bool = False
    marker: str | None = None
    cancel: str | None = None
    uncancel: str | None = None
    remove: bool = False

    @field_validator("read", "write", "marker", "cancel", "uncancel")
    @classmethod
    def _check_names(cls, value: tuple[str, ...] | str | None) -> tuple[str, ...] | str | None:
        for name in (value,) if isinstance(value, str) else value or ():
            if not _NAME.fullmatch(name):
                raise ValueError(
                    f"'{name}' is not a valid name of a field or method; use letters, digits and underscores"
                )
        return value

    @model_validator(mode="after")
    def _check_create(self) -> Self:
        if self.create and not self.write:
            raise ValueError("'create' needs 'write'; name the fields that a new record may have")
        if self.marker is not None and self.marker in self.write:
            raise ValueError(f"'{self.marker}' is the marker and in 'write'; drop it there: Pentad sets it")
        if self.uncancel is not None and self.cancel is None:
            raise ValueError("'uncancel' needs 'cancel'; name the method that it takes back")
        return self


class RecordSettings(FrozenValue):
    """A system of record.

    Args:
        url: where its API is.
        secret: name of the secret with its credential.
        kinds: what may be touched, by the vendor's name of the kind; nothing else can be.
    """

    url: str = Field(pattern=r"^https?://[^\s/?#@]+(/[^\s?#]*)?$", max_length=300)
    secret: str
    kinds: dict[str, KindSettings] = Field(min_length=1, max_length=50)

    @field_validator("kinds")
    @classmethod
    def _check_kinds(cls, value: dict[str, KindSettings]) -> dict[str, KindSettings]:
        for name in value:
            if not _NAME.fullmatch(name):
                raise ValueError(f"'{name}' is not a valid name of a kind; write it as the vendor's API does")
        return value

    def get_kind(self, kind: str) -> KindSettings:
        """Return the settings of a kind.

        Raises:
            InvalidInput: tools may not touch it.
        """
        if kind not in self.kinds:
            known = ", ".join(self.kinds)
            raise InvalidInput(f"no kind '{kind[:60]}' here", field="kind", fix=f"use one of {known}")
        return self.kinds[kind]

    def check_fields(self, kind: str, names: tuple[str, ...], *, write: bool = False) -> None:
        """Refuse fields of a kind that tools may not read, or not set.

        Raises:
            InvalidInput: there is no such kind.
            PolicyDenied: the settings don't name the field.
        """
        found = self.get_kind(kind)
        allowed = found.write if write else found.read
        refused = [name for name in names if name not in allowed]
        if refused:
            verb = "set" if write else "read"
            raise PolicyDenied(
                f"no tool may {verb} '{refused[0][:60]}' of '{kind}'",
                field="fields",
                fix=f"use one of {', '.join(allowed) or 'none: this kind is only read'}",
            )


class CrmSettings(RecordSettings):
    """A CRM: HubSpot or Salesforce.

    Args:
        provider: whose.
        api_version: of Salesforce.
    """

    provider: Literal["hubspot", "salesforce"]
    url: str = Field(default=HUBSPOT_URL, pattern=r"^https?://[^\s/?#@]+$", max_length=300)
    secret: str = "crm"  # noqa: S105 - a name
    api_version: str = Field(default="v62.0", pattern=r"^v[0-9]{2,3}\.[0-9]$")

    @model_validator(mode="after")
    def _check_url(self) -> Self:
        if self.provider == "salesforce" and self.url == HUBSPOT_URL:
            raise ValueError("'salesforce' needs 'url'; give your domain, such as https://acme.my.salesforce.com")
        return self

    @model_validator(mode="after")
    def _check_methods(self) -> Self:
        for name, kind in self.kinds.items():
            if kind.cancel is not None:
                raise ValueError(f"'cancel' of '{name}' is a method of an ERP; use 'remove: true' with crm_cancel")
        return self


class ErpSettings(RecordSettings):
    """An ERP: Odoo 19 or newer.

    Args:
        database: of a server with several.
    """

    provider: Literal["odoo"] = "odoo"
    secret: str = "erp"  # noqa: S105 - a name
    database: str | None = Field(default=None, max_length=100)

    @model_validator(mode="after")
    def _check_methods(self) -> Self:
        for name, kind in self.kinds.items():
            if kind.remove:
                raise ValueError(f"'remove' of '{name}' is for a CRM; name the method for erp_cancel in 'cancel'")
        return self
