"""One run as a waterfall: its turns, calls, attempts and graph nodes as spans."""
