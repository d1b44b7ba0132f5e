"""What a service refuses by the model of its API alone: what is missing, too long, out of range, of other characters.

botocore carries the models of AWS's APIs with the bounds of every parameter, but checks the least of them itself (what
is required, and minima); moto checks a few by hand, and others with words of its own. Here each request is held against
its model before anything is done. The models of S3 and SQS state hardly any bounds: theirs are in `refusals.py`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from itertools import islice
from typing import Any, Final

from moto.core.parse import PROTOCOL_PARSERS
from moto.core.utils import get_service_model

from twin.front.checks.bounds import WrongType, find_faults
from twin.front.errors import build_error
from twin.front.model import ApiCall, ApiResponse
from twin.front.parse import parse_rest

CHECKED: Final = (
    *("dynamodb", "events", "iam", "kms", "lambda", "logs", "scheduler", "secretsmanager", "sns", "ssm", "states"),
)
"""The services whose requests are held against their models, by their names in IAM."""

MOST_FAULTS: Final = 10
"""So many faults of a request are told."""

_HALF_PAIR: Final = re.compile(rb"\\u[dD][89a-fA-F]")
"""An escape in JSON that is half of a surrogate pair, alone or with the other half."""
_MODELS: Final = {"states": "stepfunctions"}
_CODES: Final = {"logs": "InvalidParameterException", "iam": "ValidationError", "sns": "ValidationError"}


def find_violation(call: ApiCall, environ: Mapping[str, Any]) -> ApiResponse | None:
    """Return the error that a request gets for what its API's model states, None where it fits."""
    operation = _find_operation(call.service, call.operation) if call.service in CHECKED else None
    if operation is None or operation.input_shape is None:
        return None
    if _HALF_PAIR.search(call.body) and not _is_unicode(call.params):
        return build_error(call.service, 400, "SerializationException", "a text holds half of a surrogate pair")
    params = _read_params(call, operation, environ)
    if params is None:
        return None
    try:
        faults = list(islice(find_faults(operation.input_shape, params), MOST_FAULTS))
    except WrongType as error:
        return build_error(call.service, 400, "SerializationException", str(error))
    if not faults:
        return None
    count = f"{len(faults)} validation error{'s' * (len(faults) > 1)} detected"
    return build_error(
        call.service, 400, _CODES.get(call.service, "ValidationException"), f"{count}: {'; '.join(faults)}"
    )


def _is_unicode(params: Mapping[str, Any]) -> bool:
    """Tell whether all texts can be written in UTF-8, as the services store them."""
    try:
        json.dumps(params, ensure_ascii=False, default=str).encode()
    except UnicodeEncodeError:
        return False
    return True


@cache
def _find_operation(service: str, operation: str) -> Any:
    model = get_service_model(_MODELS.get(service, service))
    return model.operation_model(operation) if operation in model.operation_names else None


def _read_params(call: ApiCall, operation: Any, environ: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the parameters as the model names them, None where moto's parser can't read them."""
    protocol = str(operation.service_model.protocol)
    if protocol == "json":
        return call.params
    try:
        if protocol == "query":
            parser: Any = PROTOCOL_PARSERS[protocol](operation)
            parsed: Mapping[str, Any] = parser.parse({"values": call.params})
            return parsed
        if operation.has_streaming_input or call.operation == "Invoke" or not call.body:
            return call.params  # what is invoked is no parameter
        return parse_rest(call.service, environ, call.body)
    except (ValueError, TypeError, AttributeError, KeyError):
        return None
