"""What a model that obeys every instruction can do in Pentad without a human, and what users' own tasks ask of one."""
