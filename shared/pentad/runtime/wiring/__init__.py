"""The wiring of what runs: which adapters each function, and a replay, is made of."""
