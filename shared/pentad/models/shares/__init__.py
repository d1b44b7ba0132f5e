"""How many model calls of one tenant run at once, so that none takes the gateway from the others."""
