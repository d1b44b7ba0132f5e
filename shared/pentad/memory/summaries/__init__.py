"""Rolling summaries of sessions, each of a stated range of messages."""
