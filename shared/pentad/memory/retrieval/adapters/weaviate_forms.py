"""How Weaviate's requests and answers are written: collections, tenants, conditions, GraphQL, errors. Pure."""

import hashlib
import json
import re
from collections.abc import Sequence
from typing import Any

from pentad.domain.errors import ConfigurationError, StoreUnavailable
from pentad.memory.retrieval.adapters.conversions import list_wanted_labels
from pentad.memory.retrieval.checks import Where
from pentad.memory.retrieval.words import K1, B

Json = dict[str, Any]

NO_TENANT = re.compile(r"tenant not found", re.IGNORECASE)
"""What the server says of a tenant that is not there: with 422, or with 200 in GraphQL and for an object of a batch."""
_TENANT = re.compile(r"[A-Za-z0-9_-]{1,62}")
_LENGTH = re.compile(r"vector lengths?|vector with length|dimension", re.IGNORECASE)
_REFUSED = re.compile(
    r"tenant not active|cannot query field|unknown argument|syntax error|no such prop|not present in schema|"
    r"query maximum results",
    re.IGNORECASE,
)
PROPERTIES: tuple[Json, ...] = (
    {"name": "vector_id", "tokenization": "field", "indexFilterable": True, "indexSearchable": False},
    {"name": "labels", "tokenization": "field", "indexFilterable": True, "indexSearchable": False},
    {"name": "words", "tokenization": "whitespace", "indexFilterable": False, "indexSearchable": True},
    {"name": "metadata", "tokenization": "field", "indexFilterable": False, "indexSearchable": False},
)


def name_tenant(tenant_id: str) -> str:
    """Return the name of Weaviate's tenant: at most 64 letters, digits, hyphens and underscores, another for each."""
    if _TENANT.fullmatch(tenant_id):
        return f"t-{tenant_id}"
    return f"h-{hashlib.sha256(tenant_id.encode()).hexdigest()[:48]}"


def make_collection(name: str) -> Json:
    """Return the declaration of a collection: words are cut at blanks, since `split_words` has cut them before."""
    kinds = {"labels": "text[]"}
    return {
        "class": name,
        "vectorizer": "none",
        "vectorIndexType": "hnsw",
        "vectorIndexConfig": {"distance": "cosine"},
        "multiTenancyConfig": {"enabled": True, "autoTenantActivation": True},
        "invertedIndexConfig": {"bm25": {"k1": K1, "b": B}, "stopwords": {"preset": "none"}},
        "properties": [{**one, "dataType": [kinds.get(one["name"], "text")]} for one in PROPERTIES],
    }


def is_own_collection(found: Json) -> bool:
    """Return whether a collection is as `make_collection` makes them: with tenants, our properties and one vector."""
    names = {one["name"] for one in found.get("properties") or ()}
    return (
        bool((found.get("multiTenancyConfig") or {}).get("enabled"))
        and names >= {one["name"] for one in PROPERTIES}
        and not found.get("vectorConfig")
        and (found.get("vectorIndexConfig") or {}).get("distance", "cosine") == "cosine"
    )


def make_any_of(name: str, values: Sequence[str]) -> Json:
    """Return the condition that a property is, or has, one of the values, as REST wants it."""
    return {"path": [name], "operator": "ContainsAny", "valueTextArray": list(values)}


def make_filter(where: Where) -> Json:
    """Return conditions as REST wants them: a list of values has another name there than in GraphQL."""
    parts = [make_any_of("labels", list_wanted_labels(name, wanted)) for name, wanted in where.items()]
    return parts[0] if len(parts) == 1 else {"operator": "And", "operands": parts}


def render_where(where: Where) -> str:
    """Return conditions as an argument in GraphQL; nothing where there is none."""
    return f" where: {render_condition(make_filter(where))}" if where else ""


def render_condition(condition: Json) -> str:
    """Return a condition in GraphQL."""
    if "operands" in condition:
        return f"{{operator: And operands: [{' '.join(map(render_condition, condition['operands']))}]}}"
    values = " ".join(map(quote, condition["valueTextArray"]))
    return f'{{path: ["{condition["path"][0]}"] operator: ContainsAny valueText: [{values}]}}'


def quote(value: str) -> str:
    """Return a string in GraphQL. Letters stay as they are: the server reads pairs of escapes as two characters."""
    return json.dumps(value, ensure_ascii=False)


def read_errors(reply: Any) -> str:
    """Return the server's words: of GraphQL (``errors``) or of REST (``error``). They are never passed on."""
    said = (reply.get("errors") or reply.get("error") or ()) if isinstance(reply, dict) else ()
    return " ".join(str(one.get("message", "")) for one in said if isinstance(one, dict))


def translate_status(status: int, reply: Any) -> ConfigurationError | StoreUnavailable:
    """Return our error for a status of 400 or more."""
    if status in (401, 403):
        return ConfigurationError("the vector store refused the credential", fix="check the secret's api_key")
    said = read_errors(reply)
    if status in (400, 404, 405, 413, 422) and not _LENGTH.search(said):
        return ConfigurationError(
            f"the vector store refused the request with {status}",
            fix="check that the server is Weaviate 1.27 or later, and that the collection was made by Pentad",
        )
    return translate_message(said) if said else StoreUnavailable(f"the vector store did not answer: {status}")


def translate_message(said: str) -> ConfigurationError | StoreUnavailable:
    """Return our error for what the server said; its words may quote what was sent."""
    if _LENGTH.search(said):
        return ConfigurationError(
            "the vector has another dimension than those of its tenant in the vector store",
            fix="use the embedding model that the tenant's vectors were made with, or migrate to a new collection",
        )
    if _REFUSED.search(said):
        return ConfigurationError(
            "the vector store refused the request",
            fix="check that the collection was made by Pentad, and that the tenant is active",
        )
    return StoreUnavailable("the vector store did not do what it was asked for")
