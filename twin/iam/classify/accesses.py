"""What an API call touches: the IAM actions, resources and condition keys that AWS would check for it.

Source: the "Actions, resources, and condition keys" pages of the service authorization reference. A call that no
classifier knows is refused to roles.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from twin.iam.classify.call import Call, Classifier, UnknownCall
from twin.iam.classify.dynamodb import classify_dynamodb
from twin.iam.classify.s3 import classify_s3
from twin.iam.classify.services import SERVICES
from twin.iam.model import Access

_CLASSIFIERS: Final[Mapping[str, Classifier]] = {
    "dynamodb": classify_dynamodb,
    "s3": classify_s3,
    **SERVICES,
}


def classify_call(call: Call) -> Sequence[Access]:
    """Return every access that the call needs.

    Raises:
        UnknownCall: No classifier knows the call.
    """
    classifier = _CLASSIFIERS.get(call.service)
    if classifier is None:
        raise UnknownCall(f"the local twin cannot authorise calls of the service {call.service!r}")
    return classifier(call)
