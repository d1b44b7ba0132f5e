"""``make bench``: what a turn costs in transitions, requests and bytes, and what the twin takes in time."""
