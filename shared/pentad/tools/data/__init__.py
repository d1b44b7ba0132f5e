"""Tools for data: SQL, files, records, the web, and APIs that an OpenAPI document describes."""
