"""Who is written to, and the text of each: the same work for every sender."""

from __future__ import annotations

from typing import NamedTuple

from bench.house import House
from contacts.models import Contact


class Letter(NamedTuple):
    msisdn: str
    text: str


def letters(house: House, text: str) -> list[Letter]:
    people = Contact.objects.filter(lists=house.list).order_by("pk").values_list("msisdn", "name")
    return [Letter(msisdn or "", text.replace("{{name}}", name)) for msisdn, name in people]
