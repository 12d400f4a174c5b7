"""A refusal says in plain words what the page is for."""

import pytest
from django.urls import reverse

from messaging.roles import ROLES
from messaging.web.frame.rights import RIGHT_WORDS

pytestmark = pytest.mark.django_db


def test_every_right_that_a_role_has_can_be_said_in_words():
    assert set().union(*ROLES.values()) == set(RIGHT_WORDS)


def test_a_refusal_names_what_the_role_lacks(sign_in):
    answer = sign_in("agent").get(reverse("connection_new"))
    assert answer.status_code == 403
    assert "It is for those who may add connections." in answer.content.decode()


@pytest.mark.parametrize(
    ("address", "says"),
    [("mfa_index", "Two-factor sign-in"), ("account_reauthenticate", "Confirm that it is you")],
)
def test_the_pages_of_ones_own_account_use_our_words(address, says, sign_in, users):
    users["agent"].set_password("a long pass phrase")
    users["agent"].save()
    shown = sign_in("agent").get(reverse(address)).content.decode()
    assert f"<h1>{says}</h1>" in shown
    assert "Two-Factor Authentication" not in shown
    assert "Confirm Access" not in shown
