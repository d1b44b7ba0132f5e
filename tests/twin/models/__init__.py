"""The model gateway on the deployed stack."""
