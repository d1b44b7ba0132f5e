"""AWS front of the local twin: one HTTP endpoint that identifies, authorises and serves every AWS API call."""
