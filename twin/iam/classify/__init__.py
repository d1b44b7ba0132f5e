"""What a call of an AWS API touches: the actions and resources that IAM must allow, service by service."""
