"""Sessions: conversations and their messages."""
