"""Translate botocore's errors into the house's, from one table."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from pentad.domain.errors import ConfigurationError, StoreUnavailable

SNAP_START = frozenset({"SnapStartException", "SnapStartNotReadyException", "SnapStartTimeoutException"})
"""What Lambda's Invoke answers (400, 409, 408) while it makes the snapshot that a function is restored from."""
_TRANSIENT = frozenset(
    {
        "InternalError",
        "InternalFailure",
        "InternalServerError",
        "ItemCollectionSizeLimitExceededException",
        "KMSInternalException",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestTimeout",
        "RequestTimeoutException",
        "ResourceConflictException",
        "ResourceNotReadyException",
        "ServiceException",
        "ServiceUnavailable",
        *SNAP_START,
        "SlowDown",
        "ThrottlingException",
        "Throttling",
        "TooManyRequestsException",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)
_CONFIGURATION = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "InvalidSignatureException",
        "KMSAccessDeniedException",
        "NoSuchBucket",
        "ResourceNotFoundException",
        "UnrecognizedClientException",
    }
)


def code_of(error: ClientError) -> str:
    """Return AWS's code of an error, such as ConditionalCheckFailedException."""
    return str(error.response.get("Error", {}).get("Code", ""))


@contextmanager
def translate_errors(what: str) -> Iterator[None]:
    """Translate what botocore raises inside; codes that are in no table go on as they are, for the caller to handle.

    Args:
        what: the thing that was asked, for the message: "the state table".

    Raises:
        StoreUnavailable: throttled, timed out or not reachable.
        ConfigurationError: access denied or the resource does not exist.
    """
    try:
        yield
    except ClientError as error:
        code = code_of(error)
        if code in _TRANSIENT or error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= 500:
            raise StoreUnavailable(f"{what} did not answer: {code}") from error
        if code in _CONFIGURATION:
            raise ConfigurationError(f"{what} refused the call: {error}", fix="check the grants and names") from error
        raise
    except BotoCoreError as error:
        raise StoreUnavailable(f"{what} could not be reached: {type(error).__name__}") from error
