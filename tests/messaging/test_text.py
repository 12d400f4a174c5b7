import hashlib
import math
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from messaging import text

NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,31}", fullmatch=True)
ANY_TEXT = st.text(st.characters(), max_size=200)
FIT_VALUES = ANY_TEXT.map(text.normalize_value).filter(text.is_fit)
GSM7 = "".join(sorted(text.GSM7_LETTERS))


def slot(name):
    return "{{" + name + "}}"


@given(ANY_TEXT)
@example("a \r\nb\t\n\r\n  \n")
@example("e\u0301 \u2028\x85x\u3000")
def test_a_normal_body_is_nfc_with_lf_and_no_trailing_blanks_and_stays_so(body):
    normal = text.normalize_body(body)
    assert normal == unicodedata.normalize("NFC", normal)
    assert all(line == line.rstrip() for line in normal.split("\n")) and not normal.endswith("\n")
    assert not set(normal) & set("\r\x85\u2028\u2029")
    assert text.normalize_body(normal) == normal


def test_a_textarea_and_an_editor_give_the_same_body():
    assert text.normalize_body("Cafe\u0301  \r\n\r\n Hi \r\n") == "Café\n\n Hi"


def test_leading_blanks_and_blank_lines_inside_a_body_stay():
    assert text.normalize_body("  Hi\n\n\n  there") == "  Hi\n\n\n  there"


@given(ANY_TEXT)
def test_a_normal_value_has_single_blanks_only_and_stays_so(value):
    normal = text.normalize_value(value)
    assert normal.split(" ") == value_words(value) or not normal
    assert text.normalize_value(normal) == normal


def value_words(value):
    return unicodedata.normalize("NFC", value).split()


@given(ANY_TEXT)
def test_a_normal_value_can_always_stand_for_a_placeholder_unless_it_is_blank_or_too_long(value):
    normal = text.normalize_value(value)
    assert text.is_fit(normal) is (0 < len(normal) <= 1024)


@given(st.text(st.sampled_from("a\x00\ud800\udfff😀é"), max_size=20))
def test_what_is_storable_is_all_but_nul_and_lone_surrogates(value):
    assert text.storable(value) == "".join(char for char in value if char not in "\x00\ud800\udfff")
    text.storable(value).encode()


@pytest.mark.parametrize(
    "char", ["\x00", "\x07", "\x1b", "\x7f", "\x9f", "\ud83d", "\u202e", "\u2066", "\u200f", "\u061c"]
)
def test_forbidden_characters_are_reported_where_they_stand(char):
    flaws = text.find_forbidden(f"ab{char}c")
    assert [(flaw.position, flaw.found) for flaw in flaws] == [(2, char)]
    assert flaws[0].name.startswith(f"U+{ord(char):04X}")


@pytest.mark.parametrize("char", ["\n", "\t", "é", "你", "த", "😀", "\u200d", "\u00a0"])
def test_letters_of_every_language_and_plain_breaks_are_not_forbidden(char):
    assert text.find_forbidden(char) == []


def test_placeholders_come_once_each_in_order():
    assert text.placeholders("{{b}} {{a_1}}{{b}}") == ["b", "a_1"]


@given(NAMES)
@example("a" * 32)
@example("a")
def test_every_key_of_the_documented_form_is_a_placeholder(name):
    assert text.placeholders(f"x{slot(name)}y") == [name]
    assert text.find_malformed(f"x{slot(name)}y") == []


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("Hi {{ Name }}", "{{ Name }}"),
        ("Hi {{1}}", "{{1}}"),
        ("Hi {{name", "{{name"),
        ("Hi {{name}", "{{name}"),
        ("Hi name}}", "}}"),
        ("Hi {{Name}}", "{{Name}}"),
        ("Hi {{na-me}}", "{{na-me}}"),
        ("Hi {{ name}}", "{{ name}}"),
        ("Hi {{}}", "{{}}"),
        ("Hi {{{name}}}", "{{{name}}}"),
        ("Hi {{name}}}", "{{name}}}"),
        ("Hi {{" + "a" * 33 + "}}", "{{" + "a" * 33 + "}}"),
        ("Hi {{ok}} {{settings.SECRET_KEY}}", "{{settings.SECRET_KEY}}"),
    ],
)
def test_double_braces_that_are_no_placeholder_are_reported_where_they_stand(body, found):
    flaws = text.find_malformed(body)
    assert [(flaw.found, flaw.position) for flaw in flaws] == [(found, body.index(found))]


@pytest.mark.parametrize("body", ["Hi {name}", "a { b } c", "{{a}}{{b}}", "{ {{a}} }", ""])
def test_single_braces_and_adjacent_placeholders_are_well_formed(body):
    assert text.find_malformed(body) == []


@given(
    st.lists(st.tuples(ANY_TEXT.filter(lambda part: "{" not in part and "}" not in part), NAMES), max_size=5), st.data()
)
def test_rendering_puts_each_value_in_its_place(pieces, data):
    values = {name: data.draw(FIT_VALUES) for _literal, name in pieces}
    body = "".join(literal + slot(name) for literal, name in pieces)
    assert text.render(body, values) == "".join(literal + values[name] for literal, name in pieces)


@pytest.mark.parametrize(
    "hostile", ["{{other}}", "{{name}}", "{% load x %}", "{0.__class__}", "%(x)s", "\\g<0>", "{{", "}}"]
)
def test_a_value_is_never_scanned_again(hostile):
    assert text.render("{{name}}|{{other}}", {"name": hostile, "other": "secret"}) == f"{hostile}|secret"


@pytest.mark.parametrize(
    "body", ["{% load x %}", "{0.__class__}", "{x:>999999999}", "%(name)s", "$name", "{{settings.SECRET_KEY}}"]
)
def test_other_template_languages_are_plain_letters(body):
    assert text.render(body, {"name": "x", "settings": "y"}) == body


def test_a_missing_or_blank_value_is_named():
    for values in ({}, {"day": ""}, {"day": " "}, {"day": "\u3000"}, {"day": None}):
        with pytest.raises(text.MissingVariable) as missing:
            text.render("Hi {{name}}, {{day}}", {"name": "Al", **values})
        assert missing.value.name == "day"


@pytest.mark.parametrize("value", ["a\nb", "a\tb", "a  b", "a\rb", "a\u2028b", "a\x85b", "a \u00a0b", "x" * 1025])
def test_a_value_that_no_placeholder_matches_is_named(value):
    with pytest.raises(text.UnfitVariable) as unfit:
        text.render("Hi {{name}}", {"name": value})
    assert unfit.value.name == "name"


def test_a_value_of_1024_characters_fits():
    assert text.render("{{name}}", {"name": "x" * 1024}) == "x" * 1024


def test_the_body_hash_is_sha256_of_its_utf_8():
    assert text.body_sha256("Hai 你好") == hashlib.sha256("Hai 你好".encode()).digest()
    with pytest.raises(ValueError):
        text.body_sha256("\ud800")


@pytest.mark.parametrize(
    ("body", "prefix", "encoding", "units", "parts"),
    [
        ("a" * 160, 0, "GSM-7", 160, 1),
        ("a" * 161, 0, "GSM-7", 161, 2),
        ("a" * 306, 0, "GSM-7", 306, 2),
        ("a" * 307, 0, "GSM-7", 307, 3),
        ("a" * 156, 4, "GSM-7", 160, 1),
        ("a" * 157, 4, "GSM-7", 161, 2),
        ("€" * 80, 0, "GSM-7", 160, 1),
        ("€" * 77, 0, "GSM-7", 154, 1),
        ("€" * 81, 0, "GSM-7", 162, 2),
        ("a" * 152 + "€" + "a" * 152, 0, "GSM-7", 306, 3),  # the escape pair moves whole into the second part
        ("你" * 70, 0, "UCS-2", 70, 1),
        ("你" * 71, 0, "UCS-2", 71, 2),
        ("你" * 134, 0, "UCS-2", 134, 2),
        ("你" * 135, 0, "UCS-2", 135, 3),
        ("你" * 66, 4, "UCS-2", 70, 1),
        ("你" * 67, 4, "UCS-2", 71, 2),
        ("你" * 66 + "😀" + "你" * 66, 0, "UCS-2", 134, 3),  # so does a surrogate pair
        ("’" + "a" * 69, 0, "UCS-2", 70, 1),
        ("", 4, "GSM-7", 0, 0),
    ],
)
def test_sms_are_cut_as_the_networks_do(body, prefix, encoding, units, parts):
    assert text.sms_parts(body, prefix) == text.SmsParts(encoding, units, parts)


@pytest.mark.parametrize(("body", "room"), [("", 160), ("a", 160), ("a" * 161, 306), ("你", 70), ("你" * 135, 201)])
def test_so_many_parts_have_room_for_so_many_letters(body, room):
    assert text.sms_parts(body).room == room


@given(st.text(GSM7, min_size=1, max_size=700), st.sampled_from([0, 4]))
def test_plain_letters_take_160_or_153_to_a_part(body, prefix):
    units = len(body) + prefix
    assert text.sms_parts(body, prefix).parts == (1 if units <= 160 else math.ceil(units / 153))


@given(st.text(GSM7 + "€[~你😀", min_size=1, max_size=500))
def test_no_sms_has_fewer_parts_than_its_units_need(body):
    cut = text.sms_parts(body)
    alone, joined = (160, 153) if cut.encoding == "GSM-7" else (70, 67)
    assert cut.parts >= (1 if cut.units <= alone else math.ceil(cut.units / joined))
    if cut.encoding == "UCS-2":
        assert cut.units == len(body.encode("utf-16-be")) // 2


def test_only_malaysian_numbers_get_the_platform_prefix():
    assert text.sms_prefix_len("60123240066") == len("RM0 ")
    assert text.sms_prefix_len("6591234567") == 0


def test_the_gsm_alphabet_has_its_127_letters_and_10_doubles():
    assert (len(text.GSM7_LETTERS), len(text.GSM7_DOUBLE_LETTERS)) == (127, 10)


def test_costly_letters_are_named_with_a_plain_spelling():
    found = text.costly_letters("It’s €5 … ’ 你")
    assert [(one.letter, one.count, one.forces_ucs2, one.instead) for one in found] == [
        ("’", 2, True, "'"),
        ("€", 1, False, ""),
        ("…", 1, True, "..."),
        ("你", 1, True, ""),
    ]


@given(st.text(max_size=100))
def test_a_text_is_ucs_2_exactly_when_a_letter_forces_it(body):
    forced = any(one.forces_ucs2 for one in text.costly_letters(body))
    assert (text.sms_parts(body).encoding == "UCS-2") is forced


def test_every_plain_spelling_is_cheap():
    spellings = {one.instead for one in text.costly_letters("‘’‚‛′`´“”„‟″«»‐‑‒–—―−\u00a0\u2009\t…•×")}
    assert "" not in spellings and all(set(one) <= text.GSM7_LETTERS for one in spellings)
