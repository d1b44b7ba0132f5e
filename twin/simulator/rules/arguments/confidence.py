"""Values of fields that say how sure a reply is, or how good: rules have no confidence, so the middle of it."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

from twin.simulator.rules.arguments.schema import split_name
from twin.simulator.rules.text import stem

UNKNOWN = 0.5
"""The confidence of rules, which have none: neither sure nor unsure."""
PASSING = 0.8
"""The score of what nothing is known of: good enough, or a loop that improves a draft by it would not end."""
_SURE = frozenset(stem(word) for word in "confidence confident probability likelihood certainty certain sure".split())
_UNSURE = frozenset(stem(word) for word in "unsure uncertain uncertainty".split())
_SCORES = frozenset(stem(word) for word in "score quality relevance rating similarity".split())
_TOP = frozenset("high highest certain sure confident yes strong excellent good best likely full".split())
"""First words of a scale that is told from its top."""


def is_confidence(name: str) -> bool:
    """Whether a field says how sure a reply is."""
    return bool({*split_name(name)} & (_SURE | _UNSURE))


def is_score(name: str) -> bool:
    """Whether a field says how good something is."""
    return bool({*split_name(name)} & _SCORES)


def is_affirmed(name: str, sure: float) -> bool:
    """Return the value of a boolean such as ``sure`` or ``uncertain``.

    Args:
        name: of the field.
        sure: how sure the reply is, 0 to 1; at the middle it is not.
    """
    return (sure > UNKNOWN) != bool({*split_name(name)} & _UNSURE)


def pick_from_scale(allowed: Sequence[Any], sure: float) -> Any:
    """Return the value of a scale, told from its top or its bottom, that is as high as a share; of two the lower.

    Args:
        allowed: the values, one at least.
        sure: the share, 0 to 1.
    """
    scale = [one for one in allowed if one is not None] or list(allowed)
    if all(isinstance(one, int | float) for one in scale):
        scale.sort()
    elif _is_top(str(scale[0])):
        scale.reverse()
    return scale[math.ceil(sure * (len(scale) - 1) - 0.5)]


def _is_top(value: str) -> bool:
    words = [word for word in re.findall("[a-z]+", value.lower()) if word not in ("very", "extremely", "completely")]
    return bool(words) and words[0] in _TOP
