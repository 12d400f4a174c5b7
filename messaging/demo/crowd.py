"""Any number of people as a file, their numbers in the spellings that offices use."""

import csv
from collections.abc import Iterator
from typing import TextIO

from messaging.demo.names import patients
from messaging.demo.story import BRANCHES, TIMES

HEADER = ["Telefon", "Nama", "Bahasa", "Branch", "Appointment time"]
AREAS = "2379"  # Malaysian mobile prefixes 012, 013, 017, 019; the clinic's patients have 016
NUMBERS_AN_AREA = 7_000_000  # from 2,000,000 on
STRIDE = (
    1_300_021  # a prime that does not divide NUMBERS_AN_AREA: neighbours in the file are strangers on the telephone
)
MOST = NUMBERS_AN_AREA * len(AREAS)
SPELLINGS = [
    "{cc}{area}{rest}",
    "+{cc}{area}{rest}",
    "+{cc} {area}-{first} {last}",
    "00{cc}{area}{rest}",
    "0{area}-{first} {last}",
    "0{area}.{first}.{last}",
    "(0{area}) {first}{last}",
    "{area}{rest}",
    "whatsapp:+{cc}{area}{rest}",
    "+{cc} (0){area} {first} {last}",
    "0{area}\u2011{first}\u00a0{last}",
]


def msisdn_of(place: int) -> str:
    """The number of the person at this place; no two places share one."""
    number = 2_000_000 + (place // len(AREAS)) * STRIDE % NUMBERS_AN_AREA
    return f"601{AREAS[place % len(AREAS)]}{number}"


def write_people(file: TextIO, count: int) -> None:
    """The first `count` people; the same ones each time."""
    writer = csv.writer(file)
    writer.writerow(HEADER)
    writer.writerows(_rows(count))


def _rows(count: int) -> Iterator[list[str]]:
    if count > MOST:
        raise ValueError(f"there are numbers for {MOST} people only")
    names = patients()
    for place in range(count):
        name, language = names[place % len(names)]
        branch, hour = BRANCHES[place % len(BRANCHES)], TIMES[place % len(TIMES)]
        yield [_spelling(msisdn_of(place), place), f"{name} {place + 1}", language, branch, hour]


def _spelling(msisdn: str, place: int) -> str:
    parts = {"cc": msisdn[:2], "area": msisdn[2:4], "rest": msisdn[4:], "first": msisdn[4:7], "last": msisdn[7:]}
    return SPELLINGS[place % len(SPELLINGS)].format(**parts)
