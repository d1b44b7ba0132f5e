"""A database that is emptied for each test."""

import pytest


@pytest.fixture
def postgres_url(postgres_server: str) -> str:
    """Return the address of an empty database."""
    import psycopg

    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute("ALTER DATABASE postgres SET synchronous_commit = off")
        connection.execute("DROP TABLE IF EXISTS pentad_vectors, pentad_vectors_version")
    return postgres_server
