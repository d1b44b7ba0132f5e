"""What became of an attempt, and what to do about it: two tables, no I/O.

Each provider has one table of rules, read from the top, that maps what its SDK saw to an `Outcome`; the adapter
applies it at the edge. One table for all maps an `Outcome` to its `Recovery`; the gateway applies that. Rules match
on status, error type, code and, where a provider gives no code, on words of the message.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from pentad.domain.models import Outcome

Scope = Literal["model", "provider"]


@dataclass(frozen=True)
class Recovery:
    """What to do after an outcome.

    Args:
        retry: ask the same model again, once, after a backoff, if the deadline allows.
        repair: ask the same model again, once, saying what was wrong with the reply.
        enlarge: ask the same model again, once, with a larger output cap.
        then: what follows when that did not help: the ``next`` link, a link with a ``larger`` window, or ``fail`` at
            once. down: no answer could be had; a chain of these alone ends in `ModelUnavailable`.
    """

    retry: bool = False
    repair: bool = False
    enlarge: bool = False
    then: Literal["next", "larger", "fail", "done"] = "next"
    down: bool = False


RECOVERIES: Mapping[Outcome, Recovery] = MappingProxyType(
    {
        Outcome.OK: Recovery(then="done"),
        Outcome.RATE_LIMIT: Recovery(retry=True, down=True),
        Outcome.OVERLOAD: Recovery(retry=True, down=True),
        # Who was slow once will be slow again, and may bill both: the next link has the better use of the time.
        Outcome.TIMEOUT: Recovery(down=True),
        Outcome.CONNECTION: Recovery(retry=True, down=True),
        Outcome.MALFORMED: Recovery(repair=True),
        Outcome.TRUNCATED: Recovery(enlarge=True, then="fail"),
        Outcome.REFUSAL: Recovery(),
        Outcome.CONTEXT_OVERFLOW: Recovery(then="larger"),
        Outcome.AUTHENTICATION: Recovery(down=True),
        Outcome.CALLER_ERROR: Recovery(then="fail"),
        Outcome.FAULT: Recovery(),
        Outcome.BEGUN: Recovery(),  # what a ledger says of an attempt; no adapter does
    }
)


@dataclass(frozen=True)
class FailureSignal:
    """What an SDK saw of a failed request. ``message`` is matched and never kept: it may repeat the user's words."""

    status: int | None = None
    type: str = ""
    code: str = ""
    message: str = ""


# Of 400s that say that strict mode does not take a tool's schema, or not all of a request's.
_SCHEMA_WORDS = (
    "compiled grammar",
    "too complex",
    "strict tool",
    "optional parameter",
    "union type",
    "schemas contain",
    "invalid schema for function",
    "strict mode",
)


def refuses_schema(signal: FailureSignal) -> bool:
    """Tell if a provider refused a request for the schema of a tool in strict mode."""
    lowered = signal.message.lower()
    return signal.status == 400 and any(word in lowered for word in _SCHEMA_WORDS)


def refuses_citations(signal: FailureSignal) -> bool:
    """Tell if a provider refused a request for its search results, or for the citations that it asks for."""
    lowered = signal.message.lower()
    return signal.status == 400 and any(word in lowered for word in ("search_result", "search result", "citations"))


@dataclass(frozen=True)
class Reason:
    """Why a provider says that a request is wrong, in words of ours: its own may repeat the user's.

    Args:
        words: of which one is in the provider's message or its code.
        sentence: what is wrong, for whoever asked.
        fix: what to do.
        elsewhere: another provider may take the request as it is.
    """

    words: tuple[str, ...]
    sentence: str
    fix: str
    elsewhere: bool


@dataclass(frozen=True)
class Rule:
    """A row of a provider's table: it matches when each part that is given does."""

    outcome: Outcome
    statuses: frozenset[int] = frozenset()
    names: frozenset[str] = frozenset()
    words: tuple[str, ...] = ()
    scope: Scope = "provider"

    def is_match(self, signal: FailureSignal) -> bool:
        """Tell if the row is the signal's."""
        if self.statuses and signal.status not in self.statuses:
            return False
        if self.names and not self.names & {signal.type, signal.code}:
            return False
        lowered = signal.message.lower()
        return not self.words or any(word in lowered for word in self.words)


@dataclass(frozen=True)
class Classified:
    """An outcome and how far it reaches: an unknown model says nothing of the provider's others."""

    outcome: Outcome
    scope: Scope


def _make_rule(
    outcome: Outcome,
    *statuses: int,
    names: tuple[str, ...] = (),
    words: tuple[str, ...] = (),
    scope: Scope = "provider",
) -> Rule:
    return Rule(outcome, frozenset(statuses), frozenset(names), words, scope)


# The last rows of every table: HTTP's own meaning of a status.
_BY_STATUS = (
    _make_rule(Outcome.AUTHENTICATION, 401, 402),
    _make_rule(Outcome.AUTHENTICATION, 403, scope="model"),
    _make_rule(Outcome.AUTHENTICATION, 404, 410, scope="model"),
    _make_rule(Outcome.TIMEOUT, 408, 504),
    _make_rule(Outcome.CONTEXT_OVERFLOW, 413, scope="model"),
    _make_rule(Outcome.RATE_LIMIT, 429, scope="model"),
    _make_rule(Outcome.OVERLOAD, 409, *range(500, 600), scope="model"),
    _make_rule(Outcome.CONNECTION, *range(300, 400)),
)

# An account that may not ask from where it is: no request of it is at fault. Read in reports of users, 2026-11.
_BY_PLACE = _make_rule(
    Outcome.AUTHENTICATION,
    400,
    403,
    words=("location is not supported", "from unsupported countries", "region, or territory not supported"),
)
_FILTERED = _make_rule(Outcome.REFUSAL, 400, words=("blocked by content filtering policy",), scope="model")

# Sources: the SDK's types.shared.error_type and *_error_details (anthropic 2.12.0), and the provider's "errors" page.
# Texts of 400s of the general type, as users report them (2026-11): the filter, a spent limit, a disabled account.
ANTHROPIC: tuple[Rule, ...] = (
    _BY_PLACE,
    _FILTERED,
    _make_rule(
        Outcome.AUTHENTICATION,
        400,
        words=(
            "organization has been disabled",
            "reached your specified api usage limits",
            "reached your specified workspace api usage limits",
        ),
    ),
    _make_rule(
        Outcome.AUTHENTICATION,
        names=(
            "billing_error",
            "contract_spend_limit_reached",
            "enforced_spend_limit_reached",
            "linked_organization_spend_limit_reached",
            "organization_on_hold",
            "ramp_limit_exceeded",
        ),
    ),
    _make_rule(Outcome.AUTHENTICATION, 400, 403, 429, words=("credit balance is too low",)),
    _make_rule(Outcome.CONTEXT_OVERFLOW, names=("request_too_large",), scope="model"),
    _make_rule(
        Outcome.CONTEXT_OVERFLOW,
        400,
        words=("prompt is too long", "exceed context limit", "context window"),
        scope="model",
    ),
    _make_rule(Outcome.RATE_LIMIT, names=("rate_limit_error",), scope="model"),
    _make_rule(Outcome.OVERLOAD, names=("overloaded_error", "api_error"), scope="model"),
    _make_rule(Outcome.TIMEOUT, names=("timeout_error", "request_body_timeout"), scope="model"),
    _make_rule(Outcome.AUTHENTICATION, names=("authentication_error",)),
    _make_rule(Outcome.AUTHENTICATION, names=("permission_error", "not_found_error"), scope="model"),
    *_BY_STATUS,
)

_IMAGE_CODES = (
    "empty_image_file",
    "failed_to_download_image",
    "image_file_not_found",
    "image_file_too_large",
    "image_parse_error",
    "image_too_large",
    "image_too_small",
    "invalid_base64_image",
    "invalid_image",
    "invalid_image_format",
    "invalid_image_mode",
    "invalid_image_url",
    "unsupported_image_media_type",
)
FAILED = 500
"""The status that stands for a response which began and failed; it came with 200."""

# Sources: the SDK's types.responses.response_error (openai 3.54.0), and the provider's "error codes" page. Malformed
# requests have the code invalid_prompt, too, so a 400 has to say that it is about safety (users' reports, 2026-11).
OPENAI: tuple[Rule, ...] = (
    _BY_PLACE,
    _make_rule(Outcome.AUTHENTICATION, names=("data_residency_mismatch",)),
    _make_rule(Outcome.REFUSAL, FAILED, names=("invalid_prompt",), scope="model"),
    _make_rule(
        Outcome.REFUSAL,
        400,
        names=("invalid_prompt",),
        words=("flagged", "usage policy", "for safety reasons"),
        scope="model",
    ),
    _make_rule(Outcome.CALLER_ERROR, names=_IMAGE_CODES, scope="model"),
    _make_rule(
        Outcome.AUTHENTICATION, names=("insufficient_quota", "billing_hard_limit_reached", "billing_not_active")
    ),
    _make_rule(Outcome.AUTHENTICATION, names=("invalid_api_key", "account_deactivated")),
    _make_rule(Outcome.AUTHENTICATION, names=("model_not_found",), scope="model"),
    # A name, an id or a description that is too long has the code of a text that is.
    _make_rule(
        Outcome.CALLER_ERROR,
        400,
        names=("string_above_max_length",),
        words=("id': string too long", "name': string too long", "description': string too long"),
        scope="model",
    ),
    _make_rule(Outcome.CONTEXT_OVERFLOW, names=("context_length_exceeded", "string_above_max_length"), scope="model"),
    _make_rule(
        Outcome.CONTEXT_OVERFLOW,
        400,
        words=("maximum context length", "context window", "input exceeds"),
        scope="model",
    ),
    _make_rule(
        Outcome.REFUSAL,
        names=(
            "bio_policy",
            "content_filter",
            "content_policy_violation",
            "cyber_policy",
            "image_content_policy_violation",
            "misalignment_policy_violation",
        ),
        scope="model",
    ),
    _make_rule(Outcome.RATE_LIMIT, names=("rate_limit_exceeded", "slow_down"), scope="model"),
    _make_rule(Outcome.TIMEOUT, 408, 504),  # also of type server_error
    _make_rule(Outcome.OVERLOAD, names=("server_error", "server_overloaded"), scope="model"),
    *_BY_STATUS,
)

# OpenAI's rows and what its likes say in other words. Sources: the "errors" pages of Gemini and Ollama, vLLM's and
# llama.cpp's servers (`exceed_context_size_error`, "Loading model"). In users' reports (2026-11): refusals of Qwen
# (`data_inspection_failed`), GLM (1301), DeepSeek ("Content Exists Risk") and Grok ("violates usage guidelines"); what
# is too long for Moonshot ("exceeded model token limit"), Qwen ("Range of input length"), Volcano ("exceeds the maximum
# length") and text-generation-inference (422, of its validation).
COMPATIBLE: tuple[Rule, ...] = (
    _make_rule(Outcome.REFUSAL, names=("data_inspection_failed", "DataInspectionFailed", "1301"), scope="model"),
    _make_rule(
        Outcome.REFUSAL,
        400,
        403,
        words=("datainspectionfailed", "content exists risk", "content violates usage guidelines"),
        scope="model",
    ),
    _make_rule(Outcome.AUTHENTICATION, 400, words=("api key not valid", "api_key_invalid", "api key expired")),
    _make_rule(Outcome.CONTEXT_OVERFLOW, names=("exceed_context_size_error",), scope="model"),
    _make_rule(
        Outcome.CONTEXT_OVERFLOW,
        400,
        422,
        words=(
            *("input token count", "context size", "context length", "prompt is too long"),
            *("exceeded model token limit", "model max length exceeded", "range of input length"),
            *("exceeds the maximum length", "`inputs` tokens + `max_new_tokens`", "`inputs` must have less than"),
        ),
        scope="model",
    ),
    *OPENAI,
)

# Sources: the errors of InvokeModel in botocore's service model of bedrock-runtime, whose names come in a header, and
# the texts of Anthropic's own errors, which Bedrock passes on in its messages.
BEDROCK: tuple[Rule, ...] = (
    _BY_PLACE,
    _FILTERED,
    _make_rule(
        Outcome.CONTEXT_OVERFLOW, 400, words=("too long", "exceed context limit", "context window"), scope="model"
    ),
    _make_rule(Outcome.RATE_LIMIT, names=("ThrottlingException", "ServiceQuotaExceededException"), scope="model"),
    _make_rule(Outcome.OVERLOAD, names=("ModelNotReadyException", "ModelErrorException"), scope="model"),
    _make_rule(Outcome.TIMEOUT, names=("ModelTimeoutException",), scope="model"),
    _make_rule(
        Outcome.AUTHENTICATION,
        names=(
            "ExpiredTokenException",
            "IncompleteSignatureException",
            "InvalidSignatureException",
            "MissingAuthenticationTokenException",
            "UnrecognizedClientException",
        ),
    ),
    # An unknown model, one without access, one that is not to be had in the region without a profile.
    _make_rule(Outcome.AUTHENTICATION, names=("AccessDeniedException", "ResourceNotFoundException"), scope="model"),
    _make_rule(
        Outcome.AUTHENTICATION,
        400,
        words=("model identifier is invalid", "on-demand throughput", "end of its life"),
        scope="model",
    ),
    _make_rule(Outcome.OVERLOAD, 424, scope="model"),
    *_BY_STATUS,
)


REASONS: tuple[Reason, ...] = (
    Reason(
        ("schema",),
        "it does not take a JSON Schema of the request's tools or of its reply",
        "use a simpler schema: objects with named properties, without references or alternatives at the top",
        elsewhere=True,
    ),
    Reason(
        ("image", "media type", "media_type", "mime", "pdf", "base64"),
        "it does not take an image or a document of the request",
        "check its type and size",
        elsewhere=True,
    ),
    Reason(
        (
            *("not supported", "unsupported", "not support", "extra inputs", "unknown parameter", "unknown field"),
            *("unrecognized", "not permitted", "must be passed back"),
        ),
        "it does not know a part or a setting of the request",
        "leave the setting out, or name a model that has it; for a server of your own, see its dialect in models.yaml",
        elsewhere=True,
    ),
    Reason(("tool",), "it does not take the request's tools", "check the tools' names and schemas", elsewhere=False),
)
"""What a message of a 4xx is about, by the first row with a word of it."""


def find_reason(signal: FailureSignal) -> Reason | None:
    """Return why a provider says that the request is wrong, or None where its message and its code tell nothing."""
    lowered = f"{signal.message} {signal.code}".lower()
    return next((reason for reason in REASONS if any(word in lowered for word in reason.words)), None)


def classify(rules: tuple[Rule, ...], signal: FailureSignal) -> Classified:
    """Return what a signal means; what no row knows is the caller's fault, which fails at once and hides nothing."""
    for rule in rules:
        if rule.is_match(signal):
            return Classified(rule.outcome, rule.scope)
    return Classified(Outcome.CALLER_ERROR, "model")
