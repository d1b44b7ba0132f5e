"""The review list: what was done and should be looked at afterwards."""
