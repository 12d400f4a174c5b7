from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from contacts.models import Contact
from messaging.models import Campaign, Connection, ProviderApproval, TemplateVersion
from messaging.statuses import Status
from messaging.templatetags.switchboard import ago
from messaging.web.frame.badges import STATES, STATUSES
from messaging.web.frame.parts import Bar, Piece, shown_number, window_chip
from tests.factories import make_user

NOW = datetime(2026, 3, 4, 9, tzinfo=UTC)


@given(counts=st.lists(st.integers(0, 100_000), min_size=1, max_size=8))
def test_a_bar_fills_its_width_and_says_its_sum(counts):
    bar = Bar("All", [Piece(str(place), count, "ok") for place, count in enumerate(counts)])
    assert bar.total == sum(counts)
    if bar.total:
        assert sum(piece.width for piece in bar.drawn) == pytest.approx(100, abs=0.05)
    assert len(bar.drawn) == sum(1 for count in counts if count)


def test_one_in_a_million_can_still_be_seen():
    bar = Bar("All", [Piece("many", 999_999, "ok"), Piece("one", 1, "bad")])
    assert bar.drawn[1].width > 0.5


@pytest.mark.parametrize(
    ("left", "tone"),
    [
        (timedelta(hours=7), "open"),
        (timedelta(hours=6), "open"),
        (timedelta(hours=5, minutes=59), "some"),
        (timedelta(hours=2), "some"),
        (timedelta(hours=1, minutes=59), "soon"),
        (timedelta(minutes=14), "last"),
        (timedelta(0), "shut"),
        (-timedelta(hours=1), "shut"),
    ],
)
def test_the_chip_says_how_long_the_window_is_open(left, tone):
    assert window_chip(NOW + left, NOW).tone == tone


def test_who_never_wrote_gets_templates_only():
    assert str(window_chip(None, NOW).words) == "template only"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("role", "sees"), [("viewer", False), ("", False), ("agent", True), ("composer", True), ("approver", True)]
)
def test_only_those_who_work_with_numbers_see_them_whole(role, sees):
    shown = shown_number(Contact(msisdn="60123240066"), make_user(role=role))
    assert ("+60 12-324 0066" in shown) is sees
    assert shown.endswith("066")


@pytest.mark.parametrize("model", [Campaign, TemplateVersion, ProviderApproval, Connection])
def test_every_state_has_a_badge(model):
    assert set(STATES[model]) == set(model.State)


def test_every_status_has_a_badge():
    assert set(STATUSES) == set(Status)


@pytest.mark.parametrize(
    ("span", "said"),
    [
        (timedelta(hours=-1, minutes=-53, seconds=-5), "1 h ago"),
        (timedelta(seconds=20), "just now"),
        (timedelta(hours=9, minutes=55, seconds=30), "in 9 h 55 min"),
        (timedelta(days=2, hours=3, minutes=1), "in 2 d 3 h"),
    ],
)
def test_what_was_is_said_roughly_and_what_comes_to_the_minute(span, said):
    assert f">{said}<" in ago(timezone.now() + span)
