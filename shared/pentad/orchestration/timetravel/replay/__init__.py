"""Replays: a recording run again by the code and the definition of now, with nothing live."""
