"""Forks, recordings and replays on a twin."""
