"""A pydantic model's JSON Schema in the strict form that both providers' structured output takes: pure.

What both take is the intersection of their SDKs' own helpers (anthropic 2.12.0 `lib/_parse/_transform.py`, openai
3.54.0 `lib/_pydantic.py`): every object is closed and all of its properties are required, a ``$ref`` stands alone,
``oneOf`` is ``anyOf``, and what can't be enforced (lengths, bounds, patterns, defaults) is told in the description; the
pydantic model checks it afterwards. One form for both keeps the prompt's prefix the same when the provider changes.
"""

from typing import Any

from pydantic import BaseModel

from pentad.domain.errors import InvalidInput
from pentad.models.providers.strict_dialects import BOTH
from pentad.models.providers.strict_schemas import NotStrict, make_strict


def build_strict_schema(output: type[BaseModel]) -> dict[str, Any]:
    """Return the strict schema of a model.

    Raises:
        InvalidInput: the model holds what no strict schema can say; ``field`` is where.
    """
    try:
        return make_strict(output.model_json_schema(), BOTH).schema
    except NotStrict as error:
        raise InvalidInput(
            f"structured output can't ask for this: {error.what}", field=error.path or "output", fix=error.fix
        ) from error
