"""Function host of the local twin: Lambda functions in their own processes, under the real runtime client."""
