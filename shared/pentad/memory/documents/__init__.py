"""Documents: parsed, chunked, embedded, registered."""
