"""After a restored backup nothing leaves until a person agrees: the database forgot what was sent since."""

from messaging.restoring.freezing import same_database
from messaging.restoring.thawing import Preview, note_seen, thaw, thaw_preview

__all__ = ["Preview", "note_seen", "same_database", "thaw", "thaw_preview"]
