"""The Berkeley Function-Calling Leaderboard (BFCL v4), multi-turn: conversations, and simulated backends as tools.

Conversations, backends and the judge are read from the installed package `bfcl_eval`; nothing of it is copied here.
"""
