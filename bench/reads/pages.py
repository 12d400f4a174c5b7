"""A person's timeline over HTTP, signed in, and `/metrics`: the 95th percentile in a large house beside a small one.

The two are minutes apart, so in turn with each request goes one for the page's empty frame: what that grows by is the
machine, and the pages are held against it.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import requests
from django.contrib.auth.models import User
from django.urls import reverse

from bench import serving
from bench.browser import Browser
from bench.figures import note
from bench.frame import FRAME
from bench.reads.rows import EACH, House
from messaging.models import Conversation

REQUESTS, WARMING = 200, 20
AIM = 1.5  # times the small house's
ADMIN = "reads"
TIMEOUT_S = 120


@dataclass
class Asked:
    """Milliseconds of a page, and of the frame in turn with it."""

    page: list[float] = field(default_factory=list)
    frame: list[float] = field(default_factory=list)


def ask(house: House) -> dict[str, Asked]:
    """Everything, of people chosen at random, by a user who may do everything."""
    with serving.server() as url:
        session, asked = _signed_in(), {}
        for name, path in _paths(house).items():
            asked[name] = Asked()
            for request in range(WARMING + REQUESTS):
                page, frame = _ms(session, url + path()), _ms(session, url + FRAME)
                if request >= WARMING:
                    asked[name].page.append(page)
                    asked[name].frame.append(frame)
    return asked


def _paths(house: House) -> dict[str, Callable[[], str]]:
    chosen = random.Random(1)

    def person() -> Conversation:
        n = chosen.randrange(house.messages // EACH)
        return Conversation.objects.select_related("contact").get(contact=house.first + n)

    return {
        "a person's conversation": lambda: reverse("conversation_detail", args=[person().public_id]),
        "a person's page": lambda: reverse("contact_detail", args=[person().contact.public_id]),
        "/metrics": lambda: reverse("metrics"),
    }


def show(small: dict[str, Asked], large: dict[str, Asked], *, messages: int) -> None:
    for name, was in small.items():
        became = large[name]
        sizes = {"small": was.page, "large": became.page, "frame small": was.frame, "frame large": became.frame}
        p95 = {size: percentile(ms, 95) for size, ms in sizes.items()}
        note(f"{name}, {messages:,} messages, p50", "ms", {size: [percentile(ms, 50)] for size, ms in sizes.items()})
        note(f"{name}, {messages:,} messages, p95", "ms", {size: [ms] for size, ms in p95.items()})
        grown, machine = p95["large"] / p95["small"], p95["frame large"] / p95["frame small"]
        met = "met" if grown / machine < AIM else "not met"
        print(f"  p95 grown {grown / machine:.2f} times ({grown:.2f}, the frame {machine:.2f}); aim {AIM}: {met}")


def percentile(ms: list[float], percent: int) -> float:
    return sorted(ms)[len(ms) * percent // 100]


def _signed_in() -> requests.Session:
    admin, _new = User.objects.get_or_create(username=ADMIN, is_staff=True, is_superuser=True)
    session = requests.Session()
    session.cookies.update({name: one.value for name, one in Browser(admin).cookies.items()})
    return session


def _ms(session: requests.Session, url: str) -> float:
    began = time.perf_counter()
    answer = session.get(url, timeout=TIMEOUT_S, allow_redirects=False)
    took = (time.perf_counter() - began) * 1000
    assert answer.status_code == 200, f"{url} answered {answer.status_code}"
    return took
