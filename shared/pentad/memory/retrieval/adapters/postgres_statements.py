"""The SQL of `PostgresVectors`: the table, and what is sent. Every statement names the tenant.

Words are a `tsvector` of what `split_words` returns, so PostgreSQL's own parser and dictionaries stay out. A lexeme
begins with a digest of the tenant, so an index's list holds one tenant's vectors. Its weight says how often it stands
in the text: D once, C twice, B 3 or 4 times, A more often. From that `ts_rank` of one lexeme gives the count back: it
is the weight over the sum of 1/i² (``calc_rank_or`` in src/backend/utils/adt/tsrank.c, PostgreSQL 18). So BM25 is
computed as in `pentad.memory.retrieval.words`, over the vectors that meet the conditions.

Of a tenant with many vectors nothing is counted that a sample tells: how many meet the conditions, and how long they
are on average. A word that is not common is looked up in the index by itself, and only what has it is ranked by it;
what the common words add is computed for the best of those alone.

``labels`` are what can be filtered by (`make_label`).
"""

import hashlib
import re
from collections import Counter

from pentad.memory.retrieval.adapters.conversions import list_wanted_labels
from pentad.memory.retrieval.checks import Where
from pentad.memory.retrieval.words import K1, B, pick_query_words, split_words

SCHEMA_VERSION = 1
LOCK = 0x70656E74  # "pent": of the migration
MAX_LEXEMES = 8000
"""A tsvector has at most 1 MB; the most frequent words are kept."""
INDEXED_DIMENSIONS = 2000
"""HNSW indexes vectors of at most so many numbers, and half-precision vectors of twice as many (pgvector 0.8)."""
EXACT_VECTORS = 5000
"""A tenant with fewer vectors is searched without the index: its neighbours' would take the index's places."""
SAMPLE = 500
COMMON = 100
"""A word that stands in more of a tenant's ``SAMPLE`` vectors finds none by itself where the question has a rarer one:
it would have to be counted in nearly all of them."""
ENOUGH = 50
"""Where so many of the sample meet the conditions, it tells how many vectors do, and how long they are on average."""
REFINED = 4
"""Times as many as are wanted are the best by the words that find; the best of them with all words are returned."""
_RANK_OF_ONE = 1.64493406685
_WEIGHTS = "{0.1,0.2,0.35,0.6}"
_SUM = f"sum(weight * often * {K1 + 1} / (often + {K1} * ({1 - B} + {B} * word_count / mean)))"
_OWN = "FROM pentad_vectors WHERE tenant_id = %(tenant)s"

EXISTS = "SELECT to_regclass('pentad_vectors') IS NOT NULL AND to_regclass('pentad_vectors_version') IS NOT NULL"
READ_VERSION = "SELECT version FROM pentad_vectors_version"
READ_DIMENSION = """SELECT atttypmod FROM pg_attribute
WHERE attrelid = to_regclass('pentad_vectors') AND attname = 'embedding'"""
TAKE_LOCK = "SELECT pg_advisory_xact_lock(%s)"
SETTINGS = """SELECT set_config('statement_timeout', %s, true), set_config('hnsw.iterative_scan', 'strict_order', true),
set_config('hnsw.ef_search', %s, true), set_config('hnsw.max_scan_tuples', '200000', true)"""

UPSERT = """INSERT INTO pentad_vectors (tenant_id, vector_id, embedding, words, word_count, labels, body, metadata)
VALUES (%s, %s, %s::vector, %s::tsvector, %s, %s, %s, %s)
ON CONFLICT (tenant_id, vector_id) DO UPDATE SET embedding = excluded.embedding, words = excluded.words,
word_count = excluded.word_count, labels = excluded.labels, body = excluded.body, metadata = excluded.metadata"""
FETCH = """SELECT vector_id, embedding::text, body, metadata FROM pentad_vectors
WHERE tenant_id = %s AND vector_id = ANY(%s)"""
DELETE = "DELETE FROM pentad_vectors WHERE tenant_id = %s AND vector_id = ANY(%s)"
DELETE_TENANT = "DELETE FROM pentad_vectors WHERE tenant_id = %s"
LIST = """SELECT vector_id FROM pentad_vectors
WHERE tenant_id = %s AND vector_id >= %s AND vector_id < %s AND vector_id > %s ORDER BY vector_id LIMIT %s"""
COUNT = "SELECT count(*) FROM (SELECT 1 FROM pentad_vectors WHERE tenant_id = %s LIMIT %s) AS own"


def list_schema(dimension: int) -> list[str]:
    """Return what makes the table, for vectors of that many numbers; each may have been made before."""
    statements = [
        "CREATE EXTENSION IF NOT EXISTS vector",
        f"""CREATE TABLE IF NOT EXISTS pentad_vectors (
            tenant_id text COLLATE "C" NOT NULL,
            vector_id text COLLATE "C" NOT NULL,
            embedding vector({int(dimension)}) NOT NULL,
            words tsvector NOT NULL,
            word_count integer NOT NULL,
            labels text[] NOT NULL,
            body text NOT NULL,
            metadata text NOT NULL,
            PRIMARY KEY (tenant_id, vector_id)
        ) WITH (toast_tuple_target = 8160)""",
        # Read by every search: as it is, and in the row where it has the room.
        "ALTER TABLE pentad_vectors ALTER COLUMN words SET STORAGE EXTERNAL",
        "CREATE INDEX IF NOT EXISTS pentad_vectors_words ON pentad_vectors USING gin (words)",
        "CREATE INDEX IF NOT EXISTS pentad_vectors_labels ON pentad_vectors USING gin (labels)",
        "CREATE TABLE IF NOT EXISTS pentad_vectors_version (version integer PRIMARY KEY)",
        f"INSERT INTO pentad_vectors_version VALUES ({SCHEMA_VERSION}) ON CONFLICT DO NOTHING",  # noqa: S608
    ]
    if dimension <= 2 * INDEXED_DIMENSIONS:
        half = dimension > INDEXED_DIMENSIONS
        column = f"(embedding::halfvec({int(dimension)})) halfvec" if half else "embedding vector"
        statements.append(
            "CREATE INDEX IF NOT EXISTS pentad_vectors_meaning ON pentad_vectors"
            f" USING hnsw ({column}_cosine_ops) WITH (m = 16, ef_construction = 64)"
        )
    return statements


def make_conditions(where: Where) -> tuple[str, list[list[str]]]:
    """Return conditions as SQL that follows the tenant's, and its parameters."""
    wanted = [list_wanted_labels(name, one) for name, one in where.items()]
    return "".join(" AND labels && %s::text[]" for _ in wanted), list(wanted)


def make_nearest(conditions: str, dimension: int, *, exact: bool) -> str:
    """Return the search by meaning. Parameters: the vector, tenant, conditions, the vector again, and how many."""
    distance = "embedding <=> %s::vector"
    order = distance
    if exact:
        order = f"({distance}) + 0"  # is not what the index has
    elif dimension > INDEXED_DIMENSIONS:
        order = f"embedding::halfvec({int(dimension)}) <=> %s::halfvec({int(dimension)})"
    return f"""SELECT vector_id, 1 - ({distance}) AS dense, metadata FROM pentad_vectors
        WHERE tenant_id = %s{conditions} ORDER BY {order}, vector_id LIMIT %s"""  # noqa: S608


def make_best_words(conditions: str, *, dense: bool) -> str:
    """Return the search by words. Parameters by name: tenant, lexemes, k; the conditions' as ``where0``, ..."""
    for number in range(conditions.count("%s")):
        conditions = conditions.replace("%s", f"%(where{number})s", 1)
    cosine = "1 - (v.embedding <=> %(dense)s::vector)" if dense else "NULL::float8"
    return f"""WITH {_make_statistics(conditions)}, {_make_ranking(conditions)}
        SELECT best.vector_id, best.score, {cosine}, v.metadata
        FROM best JOIN pentad_vectors AS v ON v.tenant_id = %(tenant)s AND v.vector_id = best.vector_id
        ORDER BY best.score DESC, best.vector_id"""  # noqa: S608


def _make_statistics(conditions: str) -> str:
    """Return what is told of the tenant's vectors and of each word, and which words find: those that are not common."""
    return f"""
        sample AS MATERIALIZED (SELECT words, word_count, (TRUE{conditions}) AS meets
            {_OWN} ORDER BY vector_id LIMIT {SAMPLE}),
        taken AS MATERIALIZED (SELECT count(*)::float8 AS vectors, count(*) FILTER (WHERE meets)::float8 AS texts,
            avg(word_count) FILTER (WHERE meets) AS mean FROM sample),
        every AS MATERIALIZED (SELECT count(*)::float8 AS texts, avg(word_count) AS mean {_OWN}{conditions}),
        totals AS MATERIALIZED (SELECT CASE
                WHEN vectors < {SAMPLE} THEN texts
                WHEN texts >= {ENOUGH} THEN (SELECT count(*) {_OWN}) * texts / vectors
                ELSE (SELECT texts FROM every) END AS texts,
            greatest(1, CASE WHEN vectors < {SAMPLE} OR texts >= {ENOUGH} THEN mean
                ELSE (SELECT mean FROM every) END)::float8 AS mean, vectors FROM taken),
        given AS MATERIALIZED (SELECT one::tsquery AS lexeme FROM unnest(%(lexemes)s::text[]) AS one),
        asked AS MATERIALIZED (SELECT lexeme,
            (SELECT count(*) FROM sample WHERE words @@ lexeme) AS seen FROM given),
        finders AS MATERIALIZED (SELECT lexeme FROM asked
            WHERE seen <= {COMMON} OR (SELECT min(seen) FROM asked) > {COMMON})"""  # noqa: S608


def _make_ranking(conditions: str) -> str:
    """Return the best by the words that find, and of these the best by all words."""
    # Each word's own list is short; the index of labels would be read in whole for each.
    unindexed = re.sub(r"labels && (\S+)", r"(labels && \1) IS TRUE", conditions)
    return f"""
        listed AS MATERIALIZED (SELECT lexeme, vector_id, word_count, {_make_often("words")} AS often
            FROM finders CROSS JOIN LATERAL
                (SELECT vector_id, word_count, words {_OWN} AND words @@ lexeme{unindexed}) AS has),
        rarity AS MATERIALIZED (SELECT lexeme, lists, ln(1 + (greatest(texts, number) - number + 0.5) / (number + 0.5))
            AS weight FROM (SELECT lexeme, lists IS NOT NULL AS lists, texts,
                coalesce(lists, least(texts, texts * seen / greatest(vectors, 1))) AS number
                FROM asked CROSS JOIN totals LEFT JOIN
                    (SELECT lexeme, count(*) AS lists FROM listed GROUP BY lexeme) AS counted USING (lexeme)) AS known),
        first AS MATERIALIZED (SELECT vector_id, {_SUM} AS score
            FROM listed JOIN rarity USING (lexeme) CROSS JOIN totals
            GROUP BY vector_id ORDER BY score DESC, vector_id LIMIT {REFINED} * %(k)s),
        best AS MATERIALIZED (SELECT vector_id, score + coalesce((SELECT {_SUM}
                FROM (SELECT weight, {_make_often("v.words")} AS often FROM rarity WHERE NOT lists) AS rest
                CROSS JOIN totals), 0) AS score
            FROM first JOIN pentad_vectors AS v USING (vector_id) WHERE v.tenant_id = %(tenant)s
            ORDER BY score DESC, vector_id LIMIT %(k)s)"""  # noqa: S608


def _make_often(words: str) -> str:
    return f"round(ts_rank('{_WEIGHTS}', {words}, lexeme) * {_RANK_OF_ONE * 100}) / 10"


def make_tsvector(tenant_id: str, text: str) -> tuple[str, int]:
    """Return a text's words as a tsvector's literal, and how many there are."""
    words = split_words(text)
    tag = _tag_tenant(tenant_id)
    lexemes = (f"{_quote(tag + word)}:1{_weigh(count)}" for word, count in Counter(words).most_common(MAX_LEXEMES))
    return " ".join(lexemes), len(words)


def list_lexemes(tenant_id: str, text: str) -> list[str]:
    """Return a question's words as queries of one lexeme each."""
    tag = _tag_tenant(tenant_id)
    return [_quote(tag + word) for word in pick_query_words(text)]


def _tag_tenant(tenant_id: str) -> str:
    return hashlib.sha256(tenant_id.encode()).hexdigest()[:4]


def _weigh(count: int) -> str:
    return "D" if count == 1 else "C" if count == 2 else "B" if count <= 4 else "A"


def _quote(word: str) -> str:
    return "'" + word.replace("\\", "\\\\").replace("'", "''") + "'"
