"""The interpreter of state machines against moto, over HTTP, with functions that run."""
