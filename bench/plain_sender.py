"""The baseline: what a careful script does. Sessions with keep-alive, threads, packed requests; no rule, no record.

`python -m bench.plain_sender URL USER SECRET THREADS` reads one JSON [to, text] a line from standard input and posts
each. It prints an empty line when it is ready, in the end how many were accepted.
"""

import json
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import requests

local = threading.local()


def post(url: str, user: str, secret: str, to: str, text: str) -> int:
    """How many recipients the provider took."""
    if not hasattr(local, "session"):
        local.session = requests.Session()
        local.session.trust_env = False
    form = {"user": user, "pass": secret, "to": to, "text": text, "detail": "1"}
    answer = local.session.post(url, data=form, timeout=40).json()
    return to.count(",") + 1 if answer["code"] == 200 else 0


def main(url: str, user: str, secret: str, threads: str) -> None:
    print(flush=True)
    work = [json.loads(line) for line in sys.stdin]
    with ThreadPoolExecutor(int(threads)) as pool:
        accepted = sum(pool.map(lambda one: post(url, user, secret, *one), work))
    print(accepted)


if __name__ == "__main__":
    main(*sys.argv[1:])
