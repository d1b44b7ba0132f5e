"""The one error tree. Class names are a wire contract: Step Functions matches ``ErrorEquals`` on them.

PentadError
├── TransientError                 worth retrying with backoff
│   ├── ModelThrottled             every provider said 429, or a caller has used up its rate
│   ├── ModelUnavailable           overload, timeout, connection, 5xx; every link of the chain is down
│   ├── ToolThrottled              a tool's rate limit, or its backend's
│   ├── ToolBusy                   Lambda, or a call before, has no room for a tool's call yet; nothing was begun
│   ├── ToolUnavailable            a tool's backend did not answer
│   ├── StoreUnavailable           DynamoDB, S3, the vector store or a queue did not answer
│   └── SessionBusy                another run holds the session's lease
└── PermanentError                 the same call would fail again
    ├── InvalidInput               a field is wrong; ``field`` and ``fix`` say which and how
    │   ├── IdempotencyConflict    one idempotency key, two different requests
    │   └── SessionConflict        the session is another agent's or another user's
    ├── NotFound                   no such thing for this tenant
    ├── NotAuthenticated           no credential, or one that is not valid
    ├── PolicyDenied               the caller, agent or tool may not do this
    ├── InvalidTransition          a run, step or approval is not in a state that allows this
    ├── LimitReached               a cap on steps, time, tokens or cost; ``limit`` names it
    ├── BudgetExceeded             a budget is used up
    ├── ContextOverflow            the conversation does not fit the model's window
    ├── Refused                    the model declined
    ├── MalformedReply             the model's reply could not be used, nor repaired
    ├── ModelCallerError           the provider said the request itself is wrong
    ├── ModelAuthentication        the provider does not accept the credential
    ├── ToolFailed                 the tool ran and failed
    ├── EffectUncertain            an effect was begun and its outcome is not known; nothing was repeated
    ├── RecordChanged              another call changed a record since this one read it; nothing was written
    ├── Unreadable                 something that is stored can't be read any more
    ├── StepFailed                 a step of a workflow failed, or too many branches of one
    ├── StepRejected               a human rejected a step of a workflow that has no way on from there
    ├── StepDone                   a step was done by the failed run that this one goes on for; its states are skipped
    └── ConfigurationError         the deployment, catalog or agent definition is wrong
"""

from collections.abc import Iterator
from typing import Any


class PentadError(Exception):
    """Base of every error that Pentad raises on purpose.

    Args:
        message: one sentence for the reader; never holds a secret or a user's words.
        field: the input field at fault, if one is.
        fix: what the reader can do about it.

    ``attempts`` are those (`pentad.domain.models.Attempt`) that the gateway made before it gave up; some are billed.
    """

    attempts: tuple[Any, ...] = ()

    def __init__(self, message: str, *, field: str | None = None, fix: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.fix = fix


class TransientError(PentadError):
    """Worth retrying with backoff.

    Args:
        message: see `PentadError`.
        retry_after: seconds the other side asked to wait, if it did.
        field: see `PentadError`.
        fix: see `PentadError`.
    """

    def __init__(
        self,
        message: str,
        *,
        retry_after: float | None = None,
        field: str | None = None,
        fix: str | None = None,
    ) -> None:
        super().__init__(message, field=field, fix=fix)
        self.retry_after = retry_after


class ModelThrottled(TransientError):
    """Every model that could be asked said 429, or a key, user or tenant has used up its rate.

    ``attempts`` say which models were asked; none where nothing was sent. ``notices`` are as in `ModelUnavailable`.
    """

    notices: tuple[str, ...] = ()


class ModelUnavailable(TransientError):
    """No model answered: every link of the chain was overloaded, timed out, or could not be reached.

    ``attempts`` say which models were asked, and with what outcome; ``notices`` are sentences for the user about what
    was done before, such as that a budget was nearly used up.
    """

    notices: tuple[str, ...] = ()


class ToolThrottled(TransientError):
    """A tool's rate limit, or its backend's."""


class ToolBusy(TransientError):
    """A tool's function has no room for a call yet: nothing of it was begun, and it is waited for, for minutes."""


class ToolUnavailable(TransientError):
    """A tool's backend did not answer."""


class StoreUnavailable(TransientError):
    """DynamoDB, S3, the vector store or a queue did not answer."""


class SessionBusy(TransientError):
    """Another run holds the session's lease."""


class PermanentError(PentadError):
    """The same call would fail again."""


class InvalidInput(PermanentError):
    """A field is wrong; ``field`` and ``fix`` say which and how."""


class IdempotencyConflict(InvalidInput):
    """One idempotency key was used for two different requests."""


class SessionConflict(InvalidInput):
    """The session is another agent's or another user's."""


class NotFound(PermanentError):
    """No such thing for this tenant."""


class NotAuthenticated(PermanentError):
    """No credential, or one that is not valid."""


class PolicyDenied(PermanentError):
    """The caller, agent or tool may not do this."""


class InvalidTransition(PermanentError):
    """A run, step or approval is not in a state that allows this."""


class LimitReached(PermanentError):
    """A cap on steps, time, tokens or cost was reached.

    Args:
        message: see `PentadError`.
        limit: which cap: ``steps``, ``seconds``, ``tokens`` or ``cost``.
    """

    def __init__(self, message: str, *, limit: str) -> None:
        super().__init__(message)
        self.limit = limit


class BudgetExceeded(PermanentError):
    """A budget is used up.

    Args:
        message: see `PentadError`; it names the budget, its limit and when it resets.
        field: see `PentadError`.
        fix: see `PentadError`.
        budget: which budget, such as ``tenant acme, day``.
        limit_nanousd: its limit in nano-dollars.
        resets_at: when it is empty again, ISO 8601; None where it never is.
    """

    def __init__(
        self,
        message: str,
        *,
        field: str | None = None,
        fix: str | None = None,
        budget: str | None = None,
        limit_nanousd: int | None = None,
        resets_at: str | None = None,
    ) -> None:
        super().__init__(message, field=field, fix=fix)
        self.budget = budget
        self.limit_nanousd = limit_nanousd
        self.resets_at = resets_at


class ContextOverflow(PermanentError):
    """The conversation does not fit the model's window."""


class Refused(PermanentError):
    """The model declined."""


class MalformedReply(PermanentError):
    """The model's reply could not be used, nor repaired."""


class ModelCallerError(PermanentError):
    """The provider said the request itself is wrong."""


class ModelAuthentication(PermanentError):
    """The provider does not accept the credential."""


class ToolFailed(PermanentError):
    """The tool ran and failed."""


class EffectUncertain(PermanentError):
    """An effect was begun and its outcome is not known; nothing was repeated."""


class RecordChanged(PermanentError):
    """Another call changed a record since this one read it; nothing was written."""


class Unreadable(PermanentError):
    """Something that is stored can't be read any more: it was cut, changed by hand, or written by another version."""


class StepFailed(PermanentError):
    """A step of a workflow failed, or too many branches of one."""


class StepRejected(PermanentError):
    """A human rejected a step of a workflow that has no way on from there."""


class StepDone(PermanentError):
    """A step was done by the failed run that this one goes on for: the states that would do it again are skipped."""


class ConfigurationError(PermanentError):
    """The deployment, catalog or agent definition is wrong."""


def iter_leaves(root: type[PentadError] = PentadError) -> Iterator[type[PentadError]]:
    """Yield every class of this module below ``root`` that has no subclass of its own here, depth first."""
    subclasses = [one for one in root.__subclasses__() if one.__module__ == __name__]
    if not subclasses:
        yield root
    for subclass in subclasses:
        yield from iter_leaves(subclass)


def transient_names() -> list[str]:
    """Return the class names that a state machine retries, sorted."""
    return sorted(leaf.__name__ for leaf in iter_leaves(TransientError))
