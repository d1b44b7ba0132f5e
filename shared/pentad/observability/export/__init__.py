"""Export of spans: from log lines to tracing products, off the user's path."""
