"""Tools for data: records, SQL, files, pages, APIs."""
