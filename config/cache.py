"""A cache that is a hint: a silent or missing Redis costs a recomputation, never a page."""

from typing import Any

import redis
from django.core.cache.backends.redis import RedisCache, RedisCacheClient


class _Client(RedisCacheClient):
    def __init__(self, servers: list[str], **options: Any) -> None:
        super().__init__(servers, **options, socket_timeout=0.3, socket_connect_timeout=0.3)


class ForgivingRedisCache(RedisCache):
    """Django's Redis cache that answers "not there" when Redis does not answer within 0.3 s."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = _Client

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        try:
            return super().get(key, default, version)
        except redis.RedisError:
            return default

    def set(self, key: Any, value: Any, timeout: Any = None, version: int | None = None) -> None:
        try:
            super().set(key, value, timeout, version)
        except redis.RedisError:
            return

    def add(self, key: Any, value: Any, timeout: Any = None, version: int | None = None) -> bool:
        """True also when Redis is away: whoever asks "am I the first?" goes ahead."""
        try:
            return super().add(key, value, timeout, version)
        except redis.RedisError:
            return True

    def delete(self, key: Any, version: int | None = None) -> bool:
        try:
            return super().delete(key, version)
        except redis.RedisError:
            return False
