"""A CDK app that is not Pentad, and the test that runs it on the twin as its README says."""
