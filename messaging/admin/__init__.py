"""The support door: history to read, and a few acts that call the same services as the screens."""

from messaging.admin import campaigns, connections, history, people, templates

__all__ = ["campaigns", "connections", "history", "people", "templates"]
