"""Who calls: API keys, OIDC tokens, and what each caller may do."""
