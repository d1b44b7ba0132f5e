"""Models: the gateway's function, the only one that may read the providers' secrets."""
