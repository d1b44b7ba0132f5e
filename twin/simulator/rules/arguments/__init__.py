"""Fill a tool's arguments, or a structured answer, as its JSON schema asks."""
