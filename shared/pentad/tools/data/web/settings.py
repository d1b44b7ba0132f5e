"""What a deployment says of web search."""

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from pentad.domain.values import FrozenValue

URLS = {"brave": "https://api.search.brave.com", "tavily": "https://api.tavily.com"}


class WebSearchSettings(FrozenValue):
    """A provider of web search.

    Args:
        provider: Brave or Tavily.
        secret: name of the secret with its key, ``{"token": ...}`` or the key as it is.
        url: where its API is; the provider's own if left out.
        country: two letters, such as CH: whose results are preferred.
        results: how many results an answer has, at most 20.
        domains: only pages of these hosts, where any are named.
    """

    provider: Literal["brave", "tavily"]
    secret: str = Field(default="web-search", pattern=r"^[a-z0-9-]{1,60}$")
    url: str = Field(default="", pattern=r"^(https?://[^\s/?#@]+)?$")
    country: str | None = Field(default=None, pattern=r"^[A-Z]{2}$")
    results: int = Field(default=8, ge=1, le=20)
    domains: tuple[str, ...] = Field(default=(), max_length=20)

    @model_validator(mode="before")
    @classmethod
    def _fill_url(cls, values: Any) -> Any:
        if isinstance(values, dict) and not values.get("url") and values.get("provider") in URLS:
            return {**values, "url": URLS[values["provider"]]}
        return values

    @model_validator(mode="after")
    def _check_domains(self) -> Self:
        for domain in self.domains:
            if not domain or any(sign in domain for sign in " /:@?#*"):
                raise ValueError(f"'{domain[:60]}' is not a host; write example.com")
        return self
