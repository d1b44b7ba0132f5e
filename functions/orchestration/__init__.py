"""What the states of machines call, and what reads the queues of runs and notices."""
