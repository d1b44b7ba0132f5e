"""The gateway from other functions: the wire form of its requests and replies."""
