"""The support door: history to read, and a few acts that call the same services as the screens."""

from messaging.admin import campaigns, connections, database, history, people, systems, templates

__all__ = ["campaigns", "connections", "database", "history", "people", "systems", "templates"]
