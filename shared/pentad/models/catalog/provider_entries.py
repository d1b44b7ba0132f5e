"""What the catalog says of a provider: which adapter speaks to it, where it is, and what its server understands."""

from typing import Any, Literal

from pydantic import Field, model_validator

from pentad.domain.values import FrozenValue

Kind = Literal["anthropic", "openai", "openai_compatible", "bedrock"]


class Dialect(FrozenValue):
    """What an OpenAI-compatible server understands of chat completions. The defaults are those of vLLM and Ollama."""

    system_role: Literal["system", "developer", "user"] = Field(
        default="system", description="who speaks the instructions; user: they lead the first user message"
    )
    output_limit: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    structured_output: Literal["json_schema", "json_object", "prompt"] = Field(
        default="json_schema", description="how a schema is asked for; prompt: in words only"
    )
    parallel_tools: bool = Field(default=True, description="several tool calls in one message; else one at a time")
    effort: bool = Field(default=False, description="reasoning_effort is accepted")
    dimensions: bool = Field(default=False, description="embeddings take a number of dimensions, and base64")
    reasoning: Literal["none", "tool_calls", "all"] = Field(
        default="none",
        description="which of a model's own reasoning goes back to it; tool_calls: with each message that calls tools, "
        "an empty one where there is none",
    )
    call_ids: Literal["any", "nine"] = Field(
        default="any", description="what the id of a tool call may be; nine: nine letters and digits (Mistral)"
    )
    foreign_calls: dict[str, Any] = Field(
        default_factory=dict, description="fields added to each tool call that another provider made"
    )


class ProviderEntry(FrozenValue):
    """One provider. ``name`` is its key in the file."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,31}$")
    kind: Kind
    secret: str | None = Field(
        default=None,
        pattern=r"^[a-z][a-z0-9-]{0,31}$",
        description="name of the secret {api_key, base_url?} behind the deployment's prefix; unset: no key is sent",
    )
    base_url: str | None = Field(default=None, pattern=r"^https?://[^\s]+$")
    region: str | None = Field(default=None, pattern=r"^[a-z]{2}(-[a-z]+)+-\d$", description="of bedrock; unset: ours")
    dialect: Dialect = Dialect()

    @model_validator(mode="after")
    def _check_complete(self) -> "ProviderEntry":
        if self.kind in ("anthropic", "openai") and self.secret is None:
            raise ValueError(f"a provider of kind '{self.kind}' needs a secret")
        if self.kind == "bedrock" and self.secret is not None:
            raise ValueError("bedrock is called with the function's own role: it takes no secret")
        if self.kind != "bedrock" and self.region is not None:
            raise ValueError("only a provider of kind bedrock has a region")
        if self.kind == "openai_compatible" and self.base_url is None:
            raise ValueError("a provider of kind openai_compatible needs a base_url")
        if self.kind != "openai_compatible" and self.dialect != Dialect():
            raise ValueError("only a provider of kind openai_compatible has a dialect")
        return self
