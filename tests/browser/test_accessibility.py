"""Every screen, as an admin sees it with a clinic's data in it: to a reader, by keyboard, under a strict policy."""

from __future__ import annotations

import pytest

from messaging.management.screens import screens
from tests.rig import Rig, wait_until

from .conftest import Desk
from .axe import grave_faults

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
WRITES_IN = {"60162114128": "Can I come later?", "60162127839": "please dont send anymore", "60162155261": "ok"}
STORY = """
from messaging import campaigns, planning
from messaging.clock import db_now
from messaging.demo.campaigns import draft, plan
from messaging.demo.players import players
from messaging.policy import Lane
from contacts.models import ContactList
team, people = players(), ContactList.objects.get(name="Flu vaccine")
draft(team, "A draft", people, "personal", Lane.TEMPLATE)
plan(team, draft(team, "To decide", people, "personal", Lane.TEMPLATE))
"""


@pytest.fixture(scope="module")
def busy(rig: Rig) -> Rig:
    """A product in which every kind of screen has something to show: drafts, reports, failures, doubts, talks."""
    rig.sandbox("dn", delay_s=0.1, undelivered_share=0.2)
    rig.manage("demo_campaign", "--people", "30", "--personal")
    rig.sandbox("dn", delay_s=3600)
    rig.sandbox("faults", faults=[{"fault": "drop_after", "share": 0.3, "seed": 1}])
    doubtful = rig.manage("demo_campaign", "--people", "25", "--personal").split()[-1]
    wait_until(lambda: rig.report(doubtful)["unknown"] > 0, seconds=60, what="unknowns")
    rig.sandbox("faults", faults=[])
    rig.manage("shell", "-v0", "-c", STORY)
    for msisdn, text in WRITES_IN.items():
        rig.sandbox("mo", msisdn=msisdn, text=text, channel="whatsapp")
    return rig


@pytest.fixture(scope="module")
def seen(busy: Rig, desk: Desk, complaints: list[str]) -> list[Seen]:
    """What axe says of every screen in light and dark, and how far it sticks out on a phone."""
    page, found = desk("admin"), []
    for url in screens(page, f"{busy.run['web']}/"):
        faults = in_each_theme(page, lambda: axe(page))
        found.append(Seen(url, faults))
    return found


def test_no_screen_has_a_grave_fault_for_people_who_cannot_see_it_well(seen: list[Seen]):
    assert len(seen) > 60, "the walk has not found the screens"
    faults = [f"{one.url}: {fault}" for one in seen for fault in one.faults]
    assert not faults, "\n".join(faults)


def test_no_screen_asks_for_what_the_content_policy_stops_nor_logs_an_error(seen: list[Seen], complaints: list[str]):
    assert complaints == []
