"""Calls to an account's hooks: the forms of a DN and an MO, over sockets that are kept and few."""

from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

import aiohttp
from yarl import URL

from .journal import Record

TIMEOUT = aiohttp.ClientTimeout(total=15)
IDLE_S = 1.5  # gunicorn closes after 2 s; a socket that closes under a notice costs a retry
BUSINESS_NUMBER = "60360000360"
BROKEN_FORM = """{{
"status" : {status},
"error-code" : {error_code},
"msisdn" : {msisdn},
"msgid" : "{msgid}" # {position} refers to DN for mobile number ({msisdn})
}}"""  # the provider's own sample, which is not valid JSON


class Hooks:
    def __init__(self, *, sockets: int) -> None:
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=sockets, keepalive_timeout=IDLE_S),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=TIMEOUT,
        )

    async def close(self) -> None:
        await self._http.close()

    async def take_dn(self, hook: str, fields: dict[str, str], *, position: int, form: str) -> bool:
        match form:
            case "get":
                return await self._call("GET", f"{hook}{'&' if '?' in hook else '?'}{urlencode(fields)}")
            case "json":
                return await self._call("POST", hook, json=fields)
            case "broken":
                words = {key.replace("-", "_"): value for key, value in fields.items()}
                sample = BROKEN_FORM.format(**words, position=position).encode()
                return await self._call("POST", hook, data=sample, headers={"Content-Type": "application/json"})
            case _:
                return await self._call("POST", hook, data=fields)

    async def take_mo(self, hook: str, mo: Record) -> bool:
        fields = {
            "from": mo["msisdn"],
            "to": BUSINESS_NUMBER,
            "text": mo["text"],
            "moid": mo["moid"],
            "time": mo["at"],
            "channel": mo["channel"],
        }
        return await self._call("POST", hook, data=fields)

    async def _call(self, method: str, url: str, **content: Any) -> bool:
        """Whether the hook said 200."""
        try:
            async with self._http.request(method, _url(url), allow_redirects=False, **content) as response:
                await response.read()
                return response.status == 200
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
            return False


@lru_cache(maxsize=64)
def _url(text: str) -> URL:
    return URL(text, encoded=True)
