"""What the headings of people's sheets mean; spellings, points, spaces and capitals make no difference."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

from contacts.imports.refusal import FileRefused

NUMBER, NAME, LANGUAGE = "msisdn", "name", "language"
IGNORED = {"row", "reason"}  # ours, in a file of bad rows
TITLES, TITLE = 20, 40  # headings that a refusal lists, and the characters of each

SURE = {
    NUMBER: (
        "MSISDN", "Phone", "Phone No", "Phone Number", "Phone Num", "Contact Phone", "Telephone", "Telephone No",
        "Telephone Number", "Tel", "Tel No", "Tel Number", "Mobile", "Mobile No", "Mobile Number", "Mobile Phone",
        "Mobile Phone No", "Mobile Phone Number", "Cell", "Cellphone", "Cell Phone", "Handphone", "Handphone No",
        "Handphone Number", "Hand Phone", "Hand Phone No", "Hand Phone Number", "H/P", "H/P No", "H/P Number", "No H/P",
        "WhatsApp", "WhatsApp No", "WhatsApp Number", "No WhatsApp", "Nombor WhatsApp",
        "Telefon", "No Telefon", "Nombor Telefon", "Telefon Bimbit", "No Telefon Bimbit", "Nombor Telefon Bimbit",
        "No Tel", "Tel Bimbit", "No Tel Bimbit", "No Phone", "No Handphone", "No Bimbit", "No Fon", "Nombor Tel",
        "Nombor HP",
        "电话", "电话号码", "手机", "手机号", "手机号码", "手机电话", "联系电话", "联络电话", "联络号码",
        "電話", "電話號碼", "手機", "手機號碼", "聯絡電話",
        "தொலைபேசி", "தொலைபேசி எண்", "கைபேசி", "கைபேசி எண்",
    ),
    NAME: (
        "Name", "Full Name", "Fullname", "Contact Name", "Customer Name", "Client Name", "Patient Name", "Member Name",
        "Name of Patient", "Nama", "Nama Penuh", "Nama Pesakit", "Nama Pelanggan", "Nama Ahli",
        "姓名", "名字", "全名", "名称", "பெயர்", "முழுப் பெயர்",
    ),
    LANGUAGE: ("Language", "Bahasa", "语言", "語言", "மொழி"),
}  # fmt: skip
VAGUE = {NUMBER: ("Number", "Nombor", "Contact No", "Contact Number", "No Contact", "No untuk dihubungi")}
"""Might be anything's number: they are the person's where no heading says so better."""


def spelt_alike(title: str) -> str:
    """“No. H/P” and “no hp” are one heading."""
    letters = unicodedata.normalize("NFKC", title).casefold()
    return "".join(letter for letter in letters if unicodedata.category(letter)[0] in "LMN")


def _table(words: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    return {spelt_alike(heading): target for target, headings in words.items() for heading in headings}


SURE_OF, VAGUE_OF = _table(SURE), _table(VAGUE)


def known(header: list[str]) -> dict[int, str]:
    """Which columns are the number, the name and the language, by their index; the first of the surest, each once."""
    found: dict[int, str] = {}
    for table in (SURE_OF, VAGUE_OF):
        for index, title in enumerate(header):
            target = table.get(spelt_alike(title))
            if target and target not in found.values():
                found[index] = target
    return found


def no_number(header: list[str]) -> FileRefused:
    """The refusal of a file in which no heading is known to be a number's; it says which headings there are."""
    titles = [f"“{title if len(title) <= TITLE else title[:TITLE] + '…'}”" for title in header[:TITLES]]
    return FileRefused("no_number_column", found=", ".join([*titles, *(["…"] if len(header) > TITLES else [])]))
