"""DynamoDB's language of expressions: read into a tree, and held against its rules."""
