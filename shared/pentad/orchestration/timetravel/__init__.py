"""Forks, recordings and replays of runs."""
