"""Where the id of an erased user stays as it is: what can't be changed, or has to say who did something.

What stays under the hash of the id, such as amounts, is not here: docs/erasure.md has all of it.
"""

from typing import Final, NamedTuple


class Stay(NamedTuple):
    """A place that an erasure leaves.

    Attributes:
        what: names the user there.
        until: for how long; names of settings are those of docs/retention.md.
    """

    what: str
    until: str


STAYS: Final = (
    Stay("who acted, in the audit, and who decided, in approvals and reviews of others' runs", "for good"),
    Stay("API keys that were made for the user, revoked ones too", "for good"),
    Stay("model attempts on the ledger from before it kept hashes", "for good"),
    Stay("budgets that an operator set for the user by name", "an operator removes them"),
    Stay("paths in the API's access log", "log_days"),
    Stay("names of the user's documents in the buckets' access logs", "access_logs_days"),
    Stay("names of the user's documents in histories of bulk ingestions", "90 days"),
    Stay("backups of tables", "backup_days"),
    Stay("the message in the erase queue", "the erasure's end; 14 days if it fails"),
)
