"""The tool that tells the tables of a PostgreSQL database."""

from typing import Any

from functions.library.sql._sql import PACKAGES, open_database
from pentad.tools.data.sql.settings import SqlSettings
from pentad.tools.declare import ToolContext, tool


@tool(
    effects="none",
    settings=SqlSettings,
    secrets=["settings.secret"],
    packages=PACKAGES,
    rate_limit="120/minute per tenant",
    trusted_output=False,
    timeout_seconds=30,
)
def describe_sql(context: ToolContext) -> list[dict[str, Any]]:
    """Tell the tables of the database that query_sql reads: their columns with type and comment, and the primary key.

    A table that does not exist, or of which nothing may be read, is left out.
    """
    settings = context.settings_of(SqlSettings)
    return open_database(settings, context).describe(settings.tables)
