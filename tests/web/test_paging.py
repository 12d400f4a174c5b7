import pytest
from django.test import RequestFactory
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contacts.models import Contact, ContactList
from messaging.web.frame.paging import paginate
from tests.factories import make_contact

pytestmark = pytest.mark.django_db
UNISOLATED = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


def page_of(rows, query, *keys, size=3):
    return paginate(rows, RequestFactory().get("/" + query), *keys, size=size)


def walk(rows, link, *keys):
    """Every page from the first on, by following one kind of link."""
    pages, query = [], ""
    while True:
        page = page_of(rows, query, *keys)
        pages.append(page)
        query = getattr(page, link)
        if not query:
            return pages


@UNISOLATED
@given(names=st.lists(st.sampled_from(["Aminah", "Bala", "Chong", ""]), max_size=11), backwards=st.booleans())
def test_following_the_pages_shows_every_row_once_and_in_order(names, backwards):
    Contact.objects.all().delete()
    for name in names:
        make_contact(name=name)
    keys = ("-name", "-pk") if backwards else ("name", "pk")
    seen = [row for page in walk(Contact.objects.all(), "after", *keys) for row in page.rows]
    assert seen == list(Contact.objects.order_by(*keys))


def test_going_back_shows_the_same_pages():
    for number in range(8):
        make_contact(name=f"{number}")
    there = walk(Contact.objects.all(), "after", "-pk")
    back = page_of(Contact.objects.all(), there[2].before, "-pk")
    first = page_of(Contact.objects.all(), back.before, "-pk")
    assert [back.rows, first.rows] == [there[1].rows, there[0].rows]
    assert not first.before and first.after


def test_a_row_that_comes_in_between_shifts_nothing():
    for _each in range(7):
        make_contact()
    first = page_of(Contact.objects.all(), "", "-pk")
    newcomer = make_contact()
    second = page_of(Contact.objects.all(), first.after, "-pk")
    assert newcomer not in second.rows
    assert second.rows[0].pk == first.rows[-1].pk - 1


@pytest.mark.parametrize(
    "cursor", ["", "x", "%00", "WyJ4Il0", "W10", "bnVsbA", "W1tdXQ", "eyJhIjoxfQ", "Wzk5OTk5OTk5OTk5OTk5OTk5OTk5XQ"]
)
def test_a_cursor_that_cannot_be_read_is_the_first_page(cursor):
    contact = make_contact()
    assert page_of(Contact.objects.all(), f"?after={cursor}", "-pk").rows == [contact]


def test_the_filters_stay_in_the_links():
    for number in range(5):
        ContactList.objects.create(name=f"List {number}")
    page = page_of(ContactList.objects.all(), "?q=list&after=", "name")
    assert "q=list" in page.after
