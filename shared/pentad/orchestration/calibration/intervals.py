"""Intervals for a share that was seen in a few trials: Clopper and Pearson's, which never cover less than they say.

C. J. Clopper, E. S. Pearson, "The use of confidence or fiducial limits illustrated in the case of the binomial",
Biometrika 26 (1934). Wilson's interval is shorter, but covers less than it says for shares near 1, which is where
thresholds are chosen (docs/decisions/0012-calibration.md). Limits are quantiles of the beta distribution, found by
bisection of its distribution function, the regularised incomplete beta function.
"""

import math
from typing import Final

from pentad.domain.errors import InvalidInput

LEVEL: Final = 0.95
_BISECTIONS: Final = 60
_TERMS: Final = 300
_TINY: Final = 1e-300
_CLOSE: Final = 1e-15


def find_interval(correct: int, count: int, level: float = LEVEL) -> tuple[float, float]:
    """Return the limits between which a share lies, with a probability of at least ``level``.

    Args:
        correct: trials that were right.
        count: trials, at least 1.
        level: between 0 and 1.

    Raises:
        InvalidInput: there are no trials, or more right ones than trials.
    """
    tail = (1 - level) / 2
    return find_low(correct, count, tail), 1 - find_low(count - correct, count, tail)


def find_low(correct: int, count: int, tail: float = 1 - LEVEL) -> float:
    """Return the share below which so many right ones come with a probability of at most ``tail``.

    Args:
        correct: trials that were right.
        count: trials, at least 1.
        tail: the probability of being wrong, on this side alone.

    Raises:
        InvalidInput: there are no trials, or more right ones than trials.
    """
    if not 0 <= correct <= count or count < 1:
        raise InvalidInput("the count must be at least 1 and not below the number that is right", field="count")
    if correct == 0:
        return 0.0
    low, high = 0.0, 1.0
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        if compute_beta(middle, correct, count - correct + 1) < tail:
            low = middle
        else:
            high = middle
    return low


def count_needed(share: float) -> int:
    """Return how many trials are needed so that a lower limit reaches a share, where all of them are right.

    Args:
        share: above 0, below 1.
    """
    return math.ceil(math.log(1 - LEVEL) / math.log(share) - 1e-9)


def compute_beta(x: float, a: float, b: float) -> float:
    """Return the regularised incomplete beta function: the chance of ``a`` or more of ``a + b - 1`` trials at ``x``.

    By the continued fraction of Lentz (Press et al., "Numerical Recipes", 6.4).
    """
    if x <= 0 or x >= 1:
        return float(x >= 1)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    if x < (a + 1) / (a + b + 2):
        return front * _expand_fraction(x, a, b) / a
    return 1 - front * _expand_fraction(1 - x, b, a) / b


def _expand_fraction(x: float, a: float, b: float) -> float:
    c, d = 1.0, 1 / _keep_from_zero(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, _TERMS + round(math.sqrt(max(a, b))) * 10):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for part in (even, odd):
            d = 1 / _keep_from_zero(1 + part * d)
            c = _keep_from_zero(1 + part / c)
            value *= c * d
        if abs(c * d - 1) < _CLOSE:
            break
    return value


def _keep_from_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
