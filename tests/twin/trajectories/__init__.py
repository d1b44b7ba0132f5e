"""Tool-use trajectories, replayed through the deployed loop, with what the tools left compared."""
