"""Files of people as real offices have them: numbers in every spelling, four scripts, and rows that cannot be right."""

from __future__ import annotations

import csv
import io
import random
from typing import NamedTuple

HEADER = ["Telefon", "Nama", "Bahasa", "Kedai", "Baki (RM)"]
NAMES = [
    ("Nurul Aisyah binti Zulkifli", "ms"),
    ("Ahmad Faiz bin Mohd. Noor", "ms"),
    ("Siti Nur’ain d/o “Ain”, Puan", "ms"),
    ("陈美玲", "zh"),
    ("林志强 (Ah Keong)", "zh"),
    ("முத்துலட்சுமி கணேசன்", "ta"),
    ("Daniel O'Brien", "en"),
    ("👩🏽‍🍳 Kak Yah 🍜", "ms"),
]
SHOPS = ["Bangsar", "Kota Bharu", "槟城", "ஈப்போ", 'Kedai "Serba; Ada", Muar']
BROKEN_NUMBERS = [
    "03-2164 1234",
    "0321641234",
    "1300 88 1234",
    "6.0123240066E+10",
    "tiada",
    "",
    "012-324",
    "012 3240066 1234 567",
    "+999 12345678",
    "=HYPERLINK(0)",
]
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
    "'0{area}{rest}",
    "\u202a+{cc} {area}\u2011{first}\u00a0{last}\u202c",
    "+{cc} (0){area} {first} {last}",
]
DIGITS = ["0123456789"] * 6 + ["٠١٢٣٤٥٦٧٨٩", "０１２３４５６７８９"]


class PeopleFile(NamedTuple):
    """A CSV file, and what its import into an empty database must count."""

    content: bytes
    created: int
    duplicate: int
    bad: int
    msisdns: list[str]  # each once, in the order of the file


def people_csv(n: int, seed: int = 0, *, bom: bool = False, delimiter: str = ",") -> PeopleFile:
    """`n` rows: about one in twenty repeats an earlier number in another spelling, one in twenty cannot be imported."""
    chance = random.Random(seed)
    out = io.StringIO()
    write = csv.writer(out, delimiter=delimiter).writerow
    write(HEADER)
    msisdns: list[str] = []
    known: set[str] = set()
    duplicate = bad = 0
    for _ in range(n):
        lot = chance.random()
        if lot < 0.05:
            bad += 1
            write([chance.choice(BROKEN_NUMBERS), *_particulars(chance)])
            continue
        msisdn = chance.choice(msisdns) if lot < 0.10 and msisdns else _msisdn(chance)
        if msisdn in known:
            duplicate += 1
        else:
            known.add(msisdn)
            msisdns.append(msisdn)
        write([spelling(msisdn, chance), *_particulars(chance)])
    content = out.getvalue().encode("utf-8-sig" if bom else "utf-8")
    return PeopleFile(content, len(msisdns), duplicate, bad, msisdns)


def spelling(msisdn: str, chance: random.Random) -> str:
    """One of the ways in which people write a Malaysian mobile number."""
    parts = {"cc": msisdn[:2], "area": msisdn[2:4], "rest": msisdn[4:], "first": msisdn[4:-4], "last": msisdn[-4:]}
    written = chance.choice(SPELLINGS).format(**parts)
    return written.translate(str.maketrans("0123456789", chance.choice(DIGITS)))


def _msisdn(chance: random.Random) -> str:
    if chance.random() < 0.2:
        return f"6011{chance.randint(10_000_000, 15_999_999)}"
    return f"601{chance.choice('2379')}{chance.randint(2_000_000, 9_999_999)}"


def _particulars(chance: random.Random) -> list[str]:
    name, language = chance.choice(NAMES)
    balance = chance.choice(["", f"{chance.randint(0, 99_999) / 100:.2f}", f"-{chance.randint(1, 99)}.50"])
    return [chance.choice([name, f"  {name} ", ""]), language, chance.choice(SHOPS), balance]
