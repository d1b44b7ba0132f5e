"""How a run starts, waits in a queue, is cancelled, undone or redriven, and ends."""
