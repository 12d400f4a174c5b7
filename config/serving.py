"""Settings of gunicorn that are code: `gunicorn -c python:config.serving config.wsgi`."""

import logging
import re

from gunicorn.glogging import Logger
from gunicorn.http.message import Request
from gunicorn.http.parser import RequestParser

from config.logs import HOOK_TOKEN

DOOR = re.compile(rb"[A-Z]+ /(gw|api/balance)/")
UNENCODED = re.compile(rb"[^\x21-\x7e]")
QUERY = re.compile(r"\?.*?(?= HTTP/\d|$)", re.MULTILINE)

http_parser = "python"  # the one that DoorRequest is


class DoorRequest(Request):
    """Takes request lines that were never percent-encoded, where the provider's server takes them: on the door."""

    def parse_request_line(self, line_bytes: bytes) -> None:
        super().parse_request_line(encoded(line_bytes) if DOOR.match(line_bytes) else line_bytes)


def encoded(line: bytes) -> bytes:
    """The line with blanks and bytes beyond ASCII in its target percent-encoded."""
    method, _, target_and_version = line.partition(b" ")
    target, _, version = target_and_version.rpartition(b" ")
    return b"%s %s %s" % (method, UNENCODED.sub(lambda found: b"%%%02X" % found[0][0], target), version)


RequestParser.mesg_class = DoorRequest


class SecretsHidden(logging.Filter):
    """A URL's query may hold a client's secret, and a hook's path its token: no line shows them."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = HOOK_TOKEN.sub(r"\1***", QUERY.sub("?***", record.getMessage())), ()
        return True


class logger_class(Logger):  # noqa: N801  gunicorn's name for the setting
    def __init__(self, cfg: object) -> None:
        super().__init__(cfg)
        for log in (self.error_log, self.access_log):
            log.addFilter(SecretsHidden())
