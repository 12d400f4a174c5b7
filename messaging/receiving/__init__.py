"""A hook's call becomes durable before it is answered: a row, or while the database is away a record of the spool."""

from messaging.receiving.call import Call
from messaging.receiving.door import Fate, NowhereToKeep, receive
from messaging.receiving.draining import drain_spool, keep_draining, spool_size

__all__ = ["Call", "Fate", "NowhereToKeep", "drain_spool", "keep_draining", "receive", "spool_size"]
