"""The composition root: one module a Lambda function, and one for a replay, with what it needs at its top."""
