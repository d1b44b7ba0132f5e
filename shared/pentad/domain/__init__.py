"""The vocabulary of every layer, from messages to money. Standard library and pydantic only."""
