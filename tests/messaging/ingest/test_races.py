"""DNs against the sending side: whoever comes first, each DN ends at its message and nobody waits for ever."""

from __future__ import annotations

import itertools
from datetime import timedelta
from threading import Lock
from urllib.parse import urlencode

import pytest

from messaging.clock import db_now
from messaging.connections import client_for
from messaging.ingest import digest_all, retry_parked
from messaging.models import Connection, DeliveryNotice, Message, Outcome, ProviderRequest
from messaging.providers.answers import Outcome as Answer
from messaging.providers.bulk360 import SendOutcome
from messaging.sending.reaper import reap
from messaging.sending.record import Answered, record
from tests.contacts.racing import race
from tests.factories import make_contact, make_mt, make_raw, make_request

pytestmark = pytest.mark.django_db(transaction=True)

REQUESTS, RECIPIENTS = 40, 5


def accepted(request: ProviderRequest, ref: str) -> Answered:
    """What the client makes of a good answer."""
    nothing = dict.fromkeys(SendOutcome.__dataclass_fields__)
    said = {"outcome": Answer.ACCEPTED, "ref": ref, "desc": "OK", "error": "", "code": 200, "http_status": 200}
    return Answered(request, RECIPIENTS, SendOutcome(**nothing | said), client_for(request.connection))


def make_flying(connection: Connection, each: int = 1) -> list[ProviderRequest]:
    """Requests in flight, of several people each; everybody is in `each` of them."""
    people = [make_contact() for _ in range(REQUESTS * RECIPIENTS // each)]
    turns = itertools.cycle(people)
    requests = []
    for _ in range(REQUESTS):
        messages = [make_mt(connection=connection, contact=next(turns)) for _ in range(RECIPIENTS)]
        requests.append(make_request(messages, outcome=Outcome.IN_FLIGHT))
    for request in requests:
        Message.objects.filter(attempts__request=request).update(claim_token=request.token)
    return requests


def make_dns(connection: Connection, request: ProviderRequest, ref: str) -> None:
    for status in ("SENT", "DELIVERED"):
        for recipient in request.recipients.select_related("message__contact").order_by("position"):
            number = recipient.message.contact.msisdn
            said = {"status": status, "msisdn": number, "msgid": f"{ref}-{recipient.position}", "error-code": "000"}
            make_raw(connection, "dn", urlencode(said).encode())


def ends_well() -> None:
    states = set(Message.objects.values_list("send_state", "delivery_state"))
    assert states == {("accepted", "delivered")}
    assert not DeliveryNotice.objects.filter(state=DeliveryNotice.State.PARKED).exists()
    assert set(ProviderRequest.objects.values_list("outcome", flat=True)) == {"accepted"}


def test_dns_that_race_with_their_answers_all_find_their_messages(connection):
    """F37, R14: a DN may be here before our own commit of the answer."""
    requests = make_flying(connection, each=2)
    for number, request in enumerate(requests):
        make_dns(connection, request, f"78-{number}.5")
    jobs, lock = iter(enumerate(requests)), Lock()

    def work() -> None:
        while True:
            with lock:
                job = next(jobs, None)
            if job is None:
                return
            record([accepted(job[1], f"78-{job[0]}.5")])
            digest_all(budget_s=2)
            retry_parked(db_now())

    race(work, workers=6)
    digest_all()
    retry_parked(db_now())
    ends_well()


def test_unknowns_settled_by_dns_while_late_answers_come_in_agree(connection):
    """The reaper gave them up; DNs and late answers race to tell the truth, and it is the same one."""
    requests = make_flying(connection)
    Message.objects.update(lease_until=db_now() - timedelta(seconds=1))
    reap(db_now())
    for number, request in enumerate(requests):
        make_dns(connection, request, f"78-{number}.5")
    late = iter(enumerate(requests[::2]))
    lock = Lock()

    def work() -> None:
        while True:
            with lock:
                job = next(late, None)
            if job is None:
                return
            digest_all(budget_s=2)
            retry_parked(db_now())
            record([accepted(job[1], f"78-{job[0] * 2}.5")])

    race(work, workers=6)
    for _ in range(3):
        digest_all()
        retry_parked(db_now())
    refs = {request.pk: f"78-{number}.5" for number, request in enumerate(requests)}
    known = ProviderRequest.objects.exclude(ref="")
    assert all(request.ref == refs[request.pk] for request in known)
    ends_well()
