"""The tool that reads a PostgreSQL database."""

from typing import Annotated

from pydantic import Field

from functions.library.sql._sql import PACKAGES, open_database
from pentad.tools.data.sql import actions
from pentad.tools.data.sql.actions import Parameters, SqlRows
from pentad.tools.data.sql.settings import SqlSettings
from pentad.tools.declare import ToolContext, tool


@tool(
    effects="none",
    settings=SqlSettings,
    secrets=["settings.secret"],
    packages=PACKAGES,
    rate_limit="120/minute per tenant",
    trusted_output=False,
    timeout_seconds=90,
    memory_mb=512,
)
def query_sql(
    statement: Annotated[
        str, Field(min_length=1, max_length=10_000, description="one SELECT in PostgreSQL's SQL, without comments")
    ],
    context: ToolContext,
    parameters: Parameters = [],  # noqa: B006 - pydantic copies the default of a parameter
) -> SqlRows:
    """Read the database with one SELECT (joins, groups, windows and WITH are fine). Ask describe_sql for the columns.

    Write values as $1, $2, ... and give them in parameters. The answer has a limited number of rows: count and sum in
    the statement, and order rows before you limit them. Nothing can be changed with it.
    """
    settings = context.settings_of(SqlSettings)
    return actions.query(settings, open_database(settings, context), statement, parameters)
