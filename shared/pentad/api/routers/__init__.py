"""The routes, a module a resource; each registers its own on the resolver."""
