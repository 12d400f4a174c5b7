"""Every staff page with 100,000 people and 1,000,000 messages, each request beside one for the empty frame.

The bar: a page is on its way within 300 ms at the 95th percentile. Asked through the WSGI application in this process,
by a signed-in user who may do everything; rows are chosen at random, so that no page is measured on warm rows alone.
"""

import html
import json
import platform
import random
import re
import statistics
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.contrib import admin
from django.core.cache import cache
from django.db import connection as database
from django.db.models import Model
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from bench import crowd
from bench.browser import Ask, Browser
from bench.crowd import Crowd
from bench.frame import FRAME
from contacts.models import Contact, ContactImport, ContactList
from messaging import inbox
from messaging.models import (
    Campaign,
    Connection,
    Conversation,
    Message,
    ProviderRequest,
    Template,
    TemplateVersion,
)
from messaging.policy import Lane
from messaging.web.campaigns.filters import OUTCOMES
from messaging.web.conversations.asked import VIEWS
from messaging.web.frame.paging import _encode

PEOPLE = 100_000
BAR_MS = 300
REQUESTS = 20
WORDS = {
    "a Malay name": ("Nurul", "Siti binti Rahman", "Ahmad bin Karim", "Zainab", "Farah binti Idris", "Rosnah"),
    "a Chinese name": ("陈美玲", "林国华", "黄志明", "王慧敏", "刘建文", "吴家豪", "郭杰燕"),
    "one Chinese letter": ("陈", "林", "黄", "杰", "燕"),
    "a whole number": ("012-0100 0061", "60120105 0081", "0120 1234 567", "012-0311 1117"),
    "a part of a number": ("0610", "1234", "777", "012-01", "305"),
    "nobody": ("Xylophon", "魑魅魍", "99999999", "zz"),
}
ADMIN_SEARCH = {"contacts.contact": "Nurul", "messaging.message": "6012{n}", "messaging.conversation": "6012{n}"}
ADMIN_FILTERS = {
    "messaging.message": (
        "send_state__exact=unknown",
        "send_state__exact=stuck",
        "direction__exact=mo",
        "lane__exact=held",
    ),
    "messaging.deliverynotice": ("state__exact=parked",),
    "messaging.requestrecipient": ("outcome__exact=refused", "resolved_by__exact=person"),
    "messaging.inboundraw": ("kind__exact=mo", "truncated__exact=1"),
}

Pages = Iterator[tuple[str, Callable[[], Ask]]]


def run(*, people: int, **_runs: int) -> None:
    """Write the rows, then print p50 and p95 of every page, whatever the number of runs: 20 requests each."""
    began = time.monotonic()
    written = crowd.write(people)
    print(
        f"{Contact.objects.count():,} people, {Message.objects.count():,} messages in {time.monotonic() - began:.0f} s"
    )
    measure(written)


def measure(written: Crowd, only: str = "") -> None:
    settings.ROOT_URLCONF = "bench.frame"
    browser = Browser(written.admin)
    random.seed(1)
    late = []
    for name, choose in pages(written, browser):
        if only in name:
            taken = Timed(name, choose, browser)
            taken.show()
            late += [name] if taken.p95 > BAR_MS else []
    print(f"above {BAR_MS} ms at p95: {', '.join(late) or 'none'}")


class Timed:
    """One page's requests and, in turn with them, the frame's; in milliseconds."""

    def __init__(self, name: str, choose: Callable[[], Ask], browser: Browser) -> None:
        self.name = name
        with CaptureQueriesContext(database) as asked:
            self.size = len(browser.ask(choose()))  # and warms up
        self.queries = len(asked)
        browser.ask(Ask(FRAME))
        self.ours, self.frame = [], []
        for _ in range(REQUESTS):
            self.ours.append(_took(browser, choose()))
            self.frame.append(_took(browser, Ask(FRAME)))

    @property
    def p95(self) -> float:
        return _percentile(self.ours, 95)

    def show(self) -> None:
        p50, base, base95 = statistics.median(self.ours), statistics.median(self.frame), _percentile(self.frame, 95)
        mark = "  <-- late" if self.p95 > BAR_MS else ""
        print(f"{self.name:<58} p50 {p50:>6.0f}  p95 {self.p95:>6.0f} ms   frame {base:>4.0f} {base95:>4.0f}{mark}")
        line = {
            "benchmark": f"page, {self.name}",
            "unit": "ms",
            "p50": round(p50, 1),
            "p95": round(self.p95, 1),
            "baseline_p50": round(base, 1),
            "baseline_p95": round(base95, 1),
            "queries": self.queries,
            "bytes": self.size,
            "python": platform.python_version(),
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        print(json.dumps(line), flush=True)


def _took(browser: Browser, ask: Ask) -> float:
    if ask.cold:
        cache.clear()
    began = time.perf_counter()
    browser.ask(ask)
    return (time.perf_counter() - began) * 1000


def _percentile(figures: list[float], percent: int) -> float:
    return statistics.quantiles(figures, n=100, method="inclusive")[percent - 1]


def pages(written: Crowd, browser: Browser) -> Pages:
    """Every page that staff can open, by what it is called on the screen."""
    yield "frame alone", lambda: Ask(FRAME)
    yield "styleguide", lambda: Ask(reverse("styleguide"))
    yield "dashboard", lambda: Ask("/")
    yield "dashboard, what is running", lambda: Ask(reverse("dashboard_running"), part=True)
    yield from _people(written)
    yield from _conversations(written, browser)
    yield from _campaigns(written)
    for name, campaign in (("running", written.running), ("finished", written.finished)):
        yield from _report(name, campaign, browser)
    yield from _review(written)
    yield from _composer(written)
    yield from _templates()
    yield from _unknowns(written)
    yield from _accounts()
    yield from _admin()


def _ids(model: type[Model], many: int = 200, **where: Any) -> list[UUID]:
    """Public ids of rows all over the table."""
    return list(model.objects.filter(**where).order_by("?").values_list("public_id", flat=True)[:many])  # type: ignore[attr-defined]


def _any(url: str, ids: list[UUID], *rest: Any, query: str = "", **options: Any) -> Callable[[], Ask]:
    return lambda: Ask(reverse(url, args=[random.choice(ids), *rest]) + query, **options)


def _search(path: str, words: tuple[str, ...], more: str = "", **options: Any) -> Callable[[], Ask]:
    return lambda: Ask(f"{path}?{more}{urlencode({'q': random.choice(words)})}", **options)


def _after(path: str, low: int, high: int, more: str = "") -> Callable[[], Ask]:
    return lambda: Ask(f"{path}?{more}after={_encode([random.randint(low, high)])}")


def _people(written: Crowd) -> Pages:
    home, first = reverse("contact_list"), written.first_contact
    lists = {name: ContactList.objects.get(name=f"Crowd {name}").public_id for name in crowd.SHARES}
    yield "people", lambda: Ask(home)
    yield "people, a page in the middle", _after(home, first, first + written.people)
    for name, words in WORDS.items():
        yield f"people, search for {name}", _search(home, words)
        yield f"people, search for {name} in a small list", _search(home, words, f"list={lists['Committee']}&")
    for name, public_id in lists.items():
        yield f"people, list {name}", lambda public_id=public_id: Ask(f"{home}?list={public_id}")
    yield "people, list Committee, middle", _after(home, first, first + written.people, f"list={lists['Committee']}&")
    for reach in ("open", "opted_out", "bad"):
        yield f"people, {reach}", lambda reach=reach: Ask(f"{home}?reach={reach}")
        yield (
            f"people, {reach} in a small list",
            lambda reach=reach: Ask(f"{home}?reach={reach}&list={lists['Committee']}"),
        )
        yield f"people, {reach}, search for nobody", _search(home, WORDS["nobody"], f"reach={reach}&")
    ids = _ids(Contact)
    yield "person", _any("contact_detail", ids)
    yield "person with 10,000 messages", _any("contact_detail", _ids(Contact, pk=written.long_contact))
    yield "person, edit", _any("contact_edit", ids)
    yield "person, lists", _any("contact_lists", ids, part=True)
    yield "person, opt out", _any("contact_opt_out", ids, part=True)
    yield "lists", lambda: Ask(reverse("list_list"))
    yield "import", lambda: Ask(reverse("contact_import"))
    yield "import, how it went", _any("import_detail", _ids(ContactImport))


def _conversations(written: Crowd, browser: Browser) -> Pages:
    home = reverse("conversation_list")
    for view in VIEWS:
        yield f"conversations, {view}", lambda view=view: Ask(f"{home}?view={view}")
        for sort in set(inbox.SORTS) - {inbox.own_sort(view)}:
            yield (
                f"conversations, {view} by {sort}",
                lambda view=view, sort=sort: Ask(f"{home}?view={view}&sort={sort}"),
            )
    rows = Conversation.objects.order_by("?").values_list("last_message_at", "pk")[:100]
    cursors = [f"{at.isoformat()}_{pk}".replace("+", "%2B") for at, pk in rows]
    yield "conversations, a page in the middle", lambda: Ask(f"{home}?before={random.choice(cursors)}")
    yield "conversations, poll", lambda: Ask(home, part=True, target="conversations")
    for name, words in WORDS.items():
        yield f"conversations, search for {name}", _search(home, words, part=True, target="conversations")
    yield "conversations, waiting, search for nobody", _search(home, WORDS["nobody"], "view=waiting&")
    ids = _ids(Conversation)
    long = _ids(Conversation, contact=written.long_contact)
    before = [f"?before=2026-11-{day:02}T00:00:00%2B00:00_1_1" for day in range(1, 20)]
    yield "conversation", _any("conversation_detail", ids)
    yield "conversation with 10,000 messages", _any("conversation_detail", long)
    yield (
        "conversation with 10,000 messages, earlier",
        lambda: Ask(reverse("conversation_detail", args=long) + random.choice(before)),
    )
    for name, some in (("conversation", ids[:30]), ("conversation with 10,000 messages", long)):
        live = [_poll(browser, reverse("conversation_detail", args=[one])) for one in some]
        yield f"{name}, poll without news", lambda live=live: Ask(random.choice(live), part=True, status=204)
        yield f"{name}, poll with news", _any("conversation_live", some, part=True)
    yield "conversation, reply by template", _any("conversation_template", ids, part=True)
    messages = list(Message.objects.filter(author__isnull=False)[:200].values_list("public_id", flat=True))
    yield "message, why", _any("message_detail", messages, part=True)


def _poll(browser: Browser, page: str) -> str:
    """The URL that the page asks again and again, as htmx would."""
    found = re.search(rf'hx-get="({re.escape(page)}live/[^"]*)"', browser.ask(Ask(page)).decode())
    assert found, page
    return html.unescape(found[1])


def _campaigns(written: Crowd) -> Pages:
    home = reverse("campaign_list")
    yield "campaigns", lambda: Ask(home)
    yield "campaigns, over", lambda: Ask(f"{home}?state=over")
    yield "campaigns, running", lambda: Ask(f"{home}?state=running")
    yield "campaigns, search", _search(home, ("party", "Everyone", "zzz"))
    yield "campaigns, second page", lambda: Ask(f"{home}?after={_encode([written.draft.pk - 19])}")
    yield "campaign, new", lambda: Ask(reverse("campaign_new"))


def _report(name: str, campaign: Campaign, browser: Browser) -> Pages:
    home = reverse("campaign_detail", args=[campaign.public_id])
    mine = Message.objects.filter(campaign=campaign).order_by("pk")
    first, last = mine.values_list("pk", flat=True)[0], mine.values_list("pk", flat=True).reverse()[0]
    if campaign.state == Campaign.State.RUNNING:
        _send_some(campaign)
    yield f"campaign {name}", lambda: Ask(home)
    yield f"campaign {name}, poll with news", lambda: Ask(f"{home}live/?seen={campaign.state}-x", part=True)
    if campaign.state == Campaign.State.FINISHED:
        live = _poll(browser, home)
        yield f"campaign {name}, poll without news", lambda: Ask(live, part=True, status=204)
    yield f"campaign {name}, people in the middle", _after(home, first, last)
    for outcome in OUTCOMES:
        yield f"campaign {name}, {outcome}", lambda outcome=outcome: Ask(f"{home}?outcome={outcome}", part=True)
    yield f"campaign {name}, by SMS", lambda: Ask(f"{home}?lane=sms", part=True)
    yield f"campaign {name}, one reason", lambda: Ask(f"{home}?reason=number_bad", part=True)
    yield f"campaign {name}, otherwise than planned", lambda: Ask(f"{home}?changed=1", part=True)
    yield f"campaign {name}, one code", lambda: Ask(f"{home}?outcome=undelivered&code=034", part=True)
    yield f"campaign {name}, no such code", lambda: Ask(f"{home}?code=999", part=True)
    for kind, words in WORDS.items():
        yield f"campaign {name}, search for {kind}", _search(home, words, part=True)
    yield f"campaign {name}, refused and search", _search(home, WORDS["nobody"], "outcome=refused&", part=True)
    people = list(mine[:5000].values_list("public_id", flat=True))
    yield f"campaign {name}, person", lambda: Ask(f"{home}people/{random.choice(people)}/", part=True)
    if campaign.state == Campaign.State.RUNNING:
        yield f"campaign {name}, cancel?", lambda: Ask(f"{home}cancel/", part=True)


def _send_some(campaign: Campaign) -> None:
    """1,500 of it left within the last half minute, from which the page tells the pace."""
    crowd.run_sql(
        "UPDATE messaging_message SET accepted_at = clock_timestamp() - interval '1 second' * (id %% 30) WHERE id IN"
        " (SELECT id FROM messaging_message WHERE campaign_id = %(campaign)s AND send_state = 'accepted' LIMIT 1500)",
        campaign=campaign.pk,
    )


def _review(written: Crowd) -> Pages:
    home = reverse("campaign_detail", args=[written.review.public_id])
    mine = Message.objects.filter(campaign=written.review).order_by("pk")
    first = mine.values_list("pk", flat=True)[0]
    yield "campaign in review", lambda: Ask(home)
    yield "campaign in review, people in the middle", _after(home, first, first + written.people)
    for query in ("lane=skipped", "lane=session", "lane=sms", "lane=skipped&reason=number_bad"):
        yield f"campaign in review, {query}", lambda query=query: Ask(f"{home}?{query}", part=True)
    for kind, words in WORDS.items():
        yield f"campaign in review, search for {kind}", _search(home, words, part=True)
    people = list(mine[:5000].values_list("public_id", flat=True))
    yield "campaign in review, person", lambda: Ask(f"{home}people/{random.choice(people)}/", part=True)
    yield "campaign in review, take back?", lambda: Ask(f"{home}withdraw/", part=True)


def _composer(written: Crowd) -> Pages:
    home, first = reverse("campaign_detail", args=[written.draft.public_id]), written.first_contact
    yield "composer", lambda: Ask(home)
    yield "composer, nothing kept from before", lambda: Ask(home, cold=True)
    yield "composer, what it counts after that", lambda: Ask(f"{home}counts/", part=True, cold=True)
    yield "composer, its chips after that", lambda: Ask(f"{home}examples/", part=True, cold=True)
    yield "composer saves itself", lambda: Ask(home, part=True, form=_typed(written.draft))
    for query in ("lane=session", "lane=skipped", "lane=skipped&reason=opted_out", "lane=held"):
        yield f"composer, plan of {query}", lambda query=query: Ask(f"{home}?{query}", part=True)
    yield (
        "composer, plan in the middle",
        lambda: Ask(f"{home}?after={random.randint(first, first + written.people)}", part=True),
    )
    yield "composer, preview", lambda: Ask(f"{home}preview/?k={random.randint(1, written.people)}", part=True)
    for show in ("random", Lane.SESSION, Lane.SKIPPED, Lane.HELD):
        yield f"composer, preview of {show}", lambda show=show: Ask(f"{home}preview/?show={show}", part=True)


def _typed(campaign: Campaign) -> dict[str, Any]:
    """The form as a browser posts it, with something changed."""
    campaign.refresh_from_db()
    rows = list(campaign.audience.all())
    return {
        "version": campaign.version,
        "name": campaign.name,
        "connection": campaign.connection_id,
        "purpose": campaign.purpose,
        "include": [row.contact_list_id for row in rows if not row.excluded],
        "exclude": [row.contact_list_id for row in rows if row.excluded],
        "session_text": f"{crowd.TEXT} {campaign.version}",
        "template_version": campaign.template_version_id,
        "sms_text": campaign.sms_text,
        "time_zone": campaign.time_zone,
    }


def _templates() -> Pages:
    ids = _ids(Template)
    yield "templates", lambda: Ask(reverse("template_list"))
    yield "templates, search", _search(reverse("template_list"), ("template 1", "zzz"))
    yield "template", _any("template_detail", ids)
    yield "template, edit", _any("template_edit", ids)
    yield "templates to review", lambda: Ask(reverse("review_queue"))
    yield "template to review", _any("version_review", _ids(TemplateVersion, state="in_review"))


def _unknowns(written: Crowd) -> Pages:
    home = reverse("unknown_list")
    yield "unknowns", lambda: Ask(home)
    yield "unknowns of a campaign", lambda: Ask(f"{home}?campaign={written.finished.public_id}")
    yield "unknowns of a campaign without", lambda: Ask(f"{home}?campaign={written.draft.public_id}")
    last = ProviderRequest.objects.latest("pk").pk
    yield "unknowns, a page in the middle", _after(home, 1, last)
    ids = _ids(ProviderRequest, outcome="unknown")
    yield "unknown, send again?", _any("unknown_act", ids, "again", part=True)


def _accounts() -> Pages:
    ids = _ids(Connection)
    yield "connections", lambda: Ask(reverse("connection_list"))
    yield "connection", _any("connection_detail", ids)
    yield "connection, edit", _any("connection_edit", ids)


def _admin() -> Pages:
    yield "admin", lambda: Ask(reverse("admin:index"))
    for model in admin.site._registry:
        label, home = model._meta.label_lower, reverse(f"admin:{model._meta.label_lower.replace('.', '_')}_changelist")
        yield f"admin, {label}", lambda home=home: Ask(home)
        if model.objects.count() > 500:  # type: ignore[attr-defined]
            yield f"admin, {label}, page 9", lambda home=home: Ask(f"{home}?p=9")
        for query in ADMIN_FILTERS.get(label, ()):
            yield f"admin, {label}, {query}", lambda home=home, query=query: Ask(f"{home}?{query}")
        if words := ADMIN_SEARCH.get(label):
            yield (
                f"admin, {label}, search",
                lambda home=home, words=words: Ask(f"{home}?q={words.format(n=random.randint(1_000_000, 7_000_000))}"),
            )
        pks = list(model.objects.order_by("?").values_list("pk", flat=True)[:30])  # type: ignore[attr-defined]
        change = f"admin:{model._meta.label_lower.replace('.', '_')}_change"
        if pks:
            yield f"admin, {label}, one", lambda change=change, pks=pks: Ask(reverse(change, args=[random.choice(pks)]))
