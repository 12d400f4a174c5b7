"""The REST API under /api/v1: reads a request, calls a service, says what came of it."""
