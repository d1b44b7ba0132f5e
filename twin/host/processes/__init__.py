"""The processes that run functions: how one is started, fed, read and ended."""
