"""When to try again, as pure arithmetic.

tenacity is not used here: a retry is decided from the outcome, the time left, the links behind this one and what the
provider asked for, all at once. With tenacity that would be a custom stop, a custom wait and a custom retry predicate
sharing state through the call: more code than these four functions, and harder to test.
"""

import email.utils
import math
from collections.abc import Mapping

BASE_SECONDS = 0.5
CAP_SECONDS = 8.0
MIN_USEFUL_SECONDS = 1.0  # an attempt with less time than this is not worth a request
MIN_ANSWER_SECONDS = 2.0  # an answer that is written in less is rare: a request would be paid for nothing
RESERVED_SHARE = 0.25  # of the time that is left, kept for the links that have not been tried


def compute_backoff(number: int, random: float) -> float:
    """Return seconds to wait before the retry after attempt ``number`` (from 1): exponential with full jitter.

    Args:
        number: attempts made on this link.
        random: from 0 up to 1.
    """
    return full_jitter(number - 1, random, base=BASE_SECONDS, cap=CAP_SECONDS)


def full_jitter(number: int, random: float, *, base: float, cap: float) -> float:
    """Return seconds to wait before retry ``number`` (from 0).

    Args:
        number: retries made before.
        random: from 0 up to 1.
        base: what the first wait is at most, in seconds.
        cap: what any wait is at most, in seconds.

    The formula is "full jitter" of the AWS Architecture Blog, "Exponential Backoff And Jitter": random(0, min(cap,
    base * 2**n)).
    """
    return random * min(cap, base * 2.0**number)


def retry_after_seconds(header: str | None, now: float) -> float | None:
    """Return what a Retry-After header asks for, in seconds from now; None where it says nothing usable.

    Args:
        header: seconds or an HTTP date (RFC 9110, 10.2.3). Negative and past are 0; NaN, infinite and junk are None.
        now: ``time.time()``.
    """
    if header is None:
        return None
    try:
        seconds = float(header)
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(header).timestamp() - now
        except (ValueError, OverflowError):
            return None
    return max(0.0, seconds) if math.isfinite(seconds) else None


def read_retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Return seconds to wait as a reply's headers ask for: ``retry-after-ms``, which is finer, else ``retry-after``."""
    exact = retry_after_seconds(headers.get("retry-after-ms"), now)
    return exact / 1000 if exact is not None else retry_after_seconds(headers.get("retry-after"), now)


def reserve(remaining: float, links_after: int) -> float:
    """Return seconds to leave for the links after this one: a quarter of what there is, where that is of use to them.

    More would cut off slow answers of a healthy link that is paid in any case; with less, a link that hangs would leave
    no time for an answer of another.
    """
    share = remaining * RESERVED_SHARE
    return share if links_after and share >= MIN_ANSWER_SECONDS else 0.0


def attempt_timeout(
    remaining: float, attempt_seconds: float | None, links_after: int, needed: float | None = None
) -> float:
    """Return seconds one attempt may take.

    Args:
        remaining: seconds to the deadline.
        attempt_seconds: what the tier allows; None for what is needed.
        links_after: links behind this one.
        needed: seconds in which the link writes a long reply (`pentad.models.providers.speeds`); None where nobody
            knows. The last link may take longer: nobody else has a use for the time.
    """
    share = remaining - reserve(remaining, links_after)
    bound = attempt_seconds if attempt_seconds is not None else needed if links_after else None
    return share if bound is None else min(bound, share)
