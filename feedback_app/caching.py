"""The cache that is done without while Redis does not answer.

Redis away makes pages slow, not down: after one short wait nobody asks it again for some
seconds. Sessions come from the database then, and figures from this process's own memory.
"""

import logging
import threading
import time
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.core.cache.backends.dummy import DummyCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

REST_S = 5.0
RESTS_PER_WAIT = 10.0
"""So much longer than it was waited for is the rest: of all requests a tenth waits, at most."""
SESSION_KEPT_S = 60
"""A session that ended while Redis was away is read from there no longer than this."""

logger = logging.getLogger(__name__)


class Breaker:
    """Remembers that a server did not answer, so that not every request waits for it anew."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._lock = threading.Lock()
        self._asked_again_at = 0.0
        self._rest_s = REST_S

    def allows(self) -> bool:
        """Returns whether to ask: yes, or after a rest one of all that want to know."""
        with self._lock:
            now = time.monotonic()
            if now < self._asked_again_at:
                return False
            if self._asked_again_at:
                self._asked_again_at = now + self._rest_s
            return True

    def trip(self, error: Exception, *, after_s: float = 0.0) -> None:
        """It did not answer ``after_s``: a name that is long looked up is asked for less often."""
        with self._lock:
            if not self._asked_again_at:
                logger.warning("%s does not answer, and is done without: %s", self.name, error)
            self._rest_s = max(REST_S, RESTS_PER_WAIT * after_s)
            self._asked_again_at = time.monotonic() + self._rest_s

    def close(self) -> None:
        """It answered."""
        if self._asked_again_at:
            with self._lock:
                self._asked_again_at = 0.0
            logger.warning("%s answers again", self.name)


redis_breaker = Breaker("Redis")


class FallbackCache(BaseCache):
    """Redis, or memory of this process while Redis does not answer."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(params)
        self._redis = RedisCache(server, params)
        self._near = self.near({**params, "OPTIONS": {"MAX_ENTRIES": 200}})

    def near(self, params: dict[str, Any]) -> BaseCache:
        return LocMemCache("fallback", params)

    def _ask(self, method: str, *arguments: Any) -> Any:
        if redis_breaker.allows():
            began = time.monotonic()
            try:
                answer = getattr(self._redis, method)(*arguments)
            except (RedisError, OSError) as error:
                redis_breaker.trip(error, after_s=time.monotonic() - began)
            else:
                redis_breaker.close()
                return answer
        return getattr(self._near, method)(*arguments)

    def add(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None) -> Any:
        return self._ask("add", key, value, timeout, version)

    def get(self, key: Any, default: Any = None, version: Any = None) -> Any:
        try:
            return self._ask("get", key, default, version)
        except Exception as error:  # noqa: BLE001  what another version of ours has pickled
            logger.warning("%s cannot be read in the cache, and is made anew: %r", key, error)
            self.delete(key, version)
            return default

    def set(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None) -> Any:
        return self._ask("set", key, value, timeout, version)

    def touch(self, key: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None) -> Any:
        return self._ask("touch", key, timeout, version)

    def delete(self, key: Any, version: Any = None) -> Any:
        return self._ask("delete", key, version)

    def clear(self) -> Any:
        return self._ask("clear")


class SessionCache(FallbackCache):
    """It keeps copies of sessions; the database has them all and is asked while Redis is away."""

    def near(self, params: dict[str, Any]) -> BaseCache:
        return DummyCache("sessions", params)

    def set(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None) -> Any:
        asked = SESSION_KEPT_S if timeout in {None, DEFAULT_TIMEOUT} else timeout
        return super().set(key, value, min(asked, SESSION_KEPT_S), version)
