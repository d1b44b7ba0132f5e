"""The HTTP API: routes, views and problems, apart from any adapter. An outer layer beside ``pentad.runtime``."""
