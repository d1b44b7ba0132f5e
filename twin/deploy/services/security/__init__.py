"""Who may do what: IAM, KMS keys and secrets."""
