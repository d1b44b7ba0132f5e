"""Reading trajectories, and applying them directly."""
