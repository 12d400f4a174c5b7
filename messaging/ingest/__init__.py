"""What came in through the hooks, read and applied: DNs to their messages, MOs to the timeline."""

from messaging.ingest.digest import digest_all, digest_connection, is_waiting
from messaging.ingest.parked import retry_parked
from messaging.ingest.retention import forget_raw

__all__ = ["digest_all", "digest_connection", "forget_raw", "is_waiting", "retry_parked"]
