"""``pentad demo``: seven things that must really happen, each checked, on the twin."""
