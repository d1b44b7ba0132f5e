"""One model turn of a run: what it sees, what the model is asked, what its reply leads to."""
