"""Tools that reach people: email, chat and text messages."""
