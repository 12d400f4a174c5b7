from collections import defaultdict
from pathlib import Path

import pytest

from messaging.providers.codes import ANSWER_CODES, DN_CODES, REFUSALS, DnClass, answer_code, dn_code

CODES = Path(__file__).parents[1] / "payloads" / "bulk360-codes"


def documented(name):
    """(code as printed, the provider's words) for each line of a table of the provider's page."""
    lines = (CODES / name).read_text().splitlines()[2:]
    return [tuple(cell.strip() for cell in line.split("|")[:2]) for line in lines]


ANSWERS, ERRORS = documented("answer-codes.txt"), documented("dn-error-codes.txt")


def test_the_page_lists_11_answer_codes_and_39_error_codes_and_so_do_we():
    assert sorted(int(code) for code, _words in ANSWERS) == sorted(ANSWER_CODES) and len(ANSWERS) == 11
    assert sorted(int(code) for code, _words in ERRORS) == sorted(DN_CODES) and len(ERRORS) == 39


@pytest.mark.parametrize(("code", "words"), ANSWERS)
def test_every_documented_answer_code_has_the_providers_words_and_ours(code, words):
    entry = answer_code(code)
    assert entry is answer_code(int(code)) and entry.known
    assert entry.provider_words == words
    assert entry.words and entry.next_step


@pytest.mark.parametrize(("code", "words"), ERRORS)
def test_every_documented_error_code_has_the_providers_words_and_ours(code, words):
    entry = dn_code(code)
    assert entry is dn_code(int(code)) and entry.known
    assert entry.provider_words == words
    assert entry.words and entry.next_step


def test_no_two_codes_are_explained_alike():
    assert len({id(entry.words) for entry in DN_CODES.values()}) == len(DN_CODES)
    words = [entry.words._args[0] for entry in (*DN_CODES.values(), *ANSWER_CODES.values())]
    assert len(set(words)) == len(words)


def test_answer_codes_stop_what_protocol_md_says():
    assert {code for code, entry in ANSWER_CODES.items() if entry.scope == "message"} == {400, 405, 406}
    assert {code for code, entry in ANSWER_CODES.items() if entry.scope == "connection"} == {
        401,
        402,
        403,
        407,
        412,
        413,
    }
    assert set(ANSWER_CODES) - {200, 500} == REFUSALS
    stops = {code: entry.stop for code, entry in ANSWER_CODES.items() if entry.stop}
    assert stops == {
        401: "credentials",
        402: "no_credit",
        403: "credentials",
        407: "suspended",
        412: "suspended",
        413: "suspended",
    }


def test_error_codes_have_the_classes_of_protocol_md():
    classes = defaultdict(set)
    for code, entry in DN_CODES.items():
        classes[entry.kind].add(code)
    assert classes == {
        DnClass.OK: {0},
        DnClass.INTERMEDIATE: {20},
        DnClass.TRANSIENT: {50, 512, 550, 557, 558},
        DnClass.HANDSET: {501, 502, 511, 516, 517, 518, 552, 556},
        DnClass.NUMBER: {505, 506, 508, 509, 515, 554},
        DnClass.NO_CREDIT: {553},
        DnClass.OPTED_OUT: {561, 571},
        DnClass.WHITELIST: {562},
        DnClass.SENDER_ID: {569, 576, 577},
        DnClass.CONTENT: {575},
        DnClass.TECHNICAL: {503, 504, 507, 510, 513, 514, 547, 551, 555, 574},
    }


def test_only_a_number_that_does_not_exist_is_marked_bad_and_only_a_persons_wish_suppresses():
    assert {code for code, entry in DN_CODES.items() if entry.marks_bad} == {505, 554}
    assert {code for code, entry in DN_CODES.items() if entry.suppresses} == {561, 571}


@pytest.mark.parametrize("raw", ["000", "0", 0, " 000 "])
def test_codes_are_compared_as_integers(raw):
    assert dn_code(raw) is DN_CODES[0]


@pytest.mark.parametrize(
    "raw",
    [
        "ABC",
        "-1",
        "5.5",
        "999",
        pytest.param("9" * 5000, id="long"),
        pytest.param(10**5000, id="huge"),
        pytest.param(-(10**5000), id="low"),
        "٥٠١",
        "5\x0001x",
    ],
)
def test_an_unknown_code_is_kept_as_text_and_accuses_nobody(raw):
    for entry in (dn_code(raw), answer_code(raw)):
        assert not entry.known and len(str(entry.code)) <= 64 and "\x00" not in str(entry.code)
        assert entry.words and entry.next_step
    assert not (dn_code(raw).marks_bad or dn_code(raw).suppresses or answer_code(raw).refuses)


@pytest.mark.parametrize("raw", [None, "", "  ", True, 1.5, [], {}])
def test_a_dn_may_carry_no_code_at_all(raw):
    assert dn_code(raw) is None
