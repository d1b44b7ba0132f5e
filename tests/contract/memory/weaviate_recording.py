"""Records what Weaviate's client sends: `python -m tests.contract.memory.weaviate_recording`, where it is installed.

It is no dependency: weaviate-client 4.24.1 wants grpcio below 1.80 and protobuf below 7, and other packages of the
tests want newer ones. What it sends by gRPC (searches, batches) is not seen; its own text of conditions is.
"""

import json
import sys
from pathlib import Path
from typing import Any

from tests.contract.memory.weaviate_server import KEY, Engine, serve_weaviate

RECORDING = Path(__file__).with_name("weaviate_client.json")
IDS = ("0d4b7f64-2a91-4f0e-8c53-6f1e2b7a9d35", "0d4b7f64-2a91-4f0e-8c53-6f1e2b7a9d36")
DOCUMENT, KIND = ['document="a"', 'document="b"'], ['kind="t"']


def record() -> dict[str, Any]:
    """Return the client's version, its requests with the status that the server answered, and its conditions."""
    import weaviate
    from weaviate.classes.config import Configure, DataType, Property, StopwordsPreset, Tokenization, VectorDistances
    from weaviate.classes.init import AdditionalConfig, Auth
    from weaviate.classes.query import Filter
    from weaviate.collections.filters import _FilterToREST
    from weaviate.gql.filter import Where

    def make_property(name: str, kind: str, cut: str, *, filterable: bool, searchable: bool) -> Any:
        return Property(
            name=name,
            data_type=DataType(kind),
            tokenization=Tokenization(cut),
            index_filterable=filterable,
            index_searchable=searchable,
        )

    engine = Engine()
    with serve_weaviate(engine) as url:
        client = weaviate.WeaviateClient(
            connection_params=weaviate.connect.ConnectionParams.from_params(
                http_host="127.0.0.1",
                http_port=int(url.rpartition(":")[2]),
                http_secure=False,
                grpc_host="127.0.0.1",
                grpc_port=1,
                grpc_secure=False,
            ),
            auth_client_secret=Auth.api_key(KEY),
            additional_config=AdditionalConfig(trust_env=False),
            skip_init_checks=True,
        )
        client.connect()
        client.collections.create(
            "Pentad",
            properties=[
                make_property("vector_id", "text", "field", filterable=True, searchable=False),
                make_property("labels", "text[]", "field", filterable=True, searchable=False),
                make_property("words", "text", "whitespace", filterable=False, searchable=True),
                make_property("metadata", "text", "field", filterable=False, searchable=False),
            ],
            multi_tenancy_config=Configure.multi_tenancy(enabled=True, auto_tenant_activation=True),
            inverted_index_config=Configure.inverted_index(
                bm25_k1=1.2, bm25_b=0.75, stopwords_preset=StopwordsPreset.NONE
            ),
            vectorizer_config=Configure.Vectorizer.none(),
            vector_index_config=Configure.VectorIndex.hnsw(distance_metric=VectorDistances.COSINE),
        )
        collection = client.collections.use("Pentad")
        read = collection.config.get()
        collection.tenants.create("t-acme")
        known = [collection.tenants.exists(name) for name in ("t-acme", "t-none")]
        own = collection.with_tenant("t-acme")
        properties = {"vector_id": "x", "labels": DOCUMENT, "words": "account", "metadata": "{}"}
        own.data.insert(properties, uuid=IDS[0], vector=[1.0, 0.0, 0.0])
        refused = []
        for tenant, vector in (("t-acme", [1.0, 0.0]), ("t-none", [1.0, 0.0, 0.0])):
            try:
                collection.with_tenant(tenant).data.insert({"vector_id": "y"}, uuid=IDS[1], vector=vector)
            except weaviate.exceptions.UnexpectedStatusCodeError as error:
                refused.append(error.status_code)
        asked = {"path": ["labels"], "operator": "ContainsAny", "valueTextArray": DOCUMENT}
        both = {"operator": "And", "operands": [asked, {**asked, "valueTextArray": KIND}]}
        found = client.graphql_raw_query(
            '{Get {Pentad(tenant: "t-acme" nearVector: {vector: [1.0, 0.0, 0.0]} limit: 5 '
            f"{Where(asked)}) {{vector_id metadata _additional {{distance}}}}}}}}"
        )
        own.data.delete_by_id(IDS[0])
        collection.tenants.remove(["t-acme", "t-none"])
        client.close()
    one = Filter.by_property("labels").contains_any(DOCUMENT)
    two = Filter.by_property("labels").contains_any(KIND)
    return {
        "client": weaviate.__version__,
        "requests": engine.requests,
        "read": {"tenants": known, "refused": refused, "found": found.get["Pentad"], "name": read.name},
        "conditions": {
            "rest": [_FilterToREST.convert(one), _FilterToREST.convert(one & two)],
            "graphql": [str(Where(asked)), str(Where(both))],
        },
    }


if __name__ == "__main__":
    RECORDING.write_text(json.dumps(record(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    sys.stdout.write(f"wrote {RECORDING.name}\n")
