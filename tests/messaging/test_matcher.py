import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from messaging import text
from messaging.matcher import Mismatch, MismatchKind, best_match, explain_mismatch, match

BODY = "Hi {{name}}, parcel {{ref}} comes on {{day}}."
VALUES = {"name": "Al", "ref": "12-B", "day": "Monday 3 pm"}
WORST_S = 30  # the largest takes about 2 s on a slow machine; backtracking would take years

NAMES = st.sampled_from(["name", "ref", "day", "a", "b"])
LITERALS = st.text("ab, .\n", max_size=5)
FIT = st.text("ab, .", min_size=1, max_size=6).filter(lambda value: text.is_fit(value) and value.strip())
BODIES = st.lists(st.tuples(LITERALS, NAMES), max_size=5).flatmap(
    lambda pieces: LITERALS.map(lambda end: "".join(literal + slot(name) for literal, name in pieces) + end)
)


def slot(name):
    return "{{" + name + "}}"


def matches_by_trying(literals, names, given_text, bound=None):
    """Whether some values render to the text, by trying every cut: slow, and plainly right."""
    bound = bound or {}
    if not given_text.startswith(literals[0]):
        return False
    rest = given_text[len(literals[0]) :]
    if not names:
        return rest == ""
    for end in range(1, len(rest) + 1):
        value = rest[:end]
        allowed = text.is_fit(value) and bound.get(names[0], value) == value
        if allowed and matches_by_trying(literals[1:], names[1:], rest[end:], {**bound, names[0]: value}):
            return True
    return False


@settings(max_examples=500)
@given(BODIES, st.data())
def test_every_rendering_matches_its_body_and_the_values_found_render_to_it(body, data):
    values = {name: data.draw(FIT) for name in text.placeholders(body)}
    rendered = text.render(body, values)
    found = match(body, rendered)
    assert found is not None and set(found) == set(values)
    compiled = text.compile_body(body)
    assert (
        "".join(a + found.get(b, "") for a, b in zip(compiled.literals, (*compiled.names, ""), strict=True)) == rendered
    )
    assert explain_mismatch(body, rendered) is None


@settings(max_examples=1000)
@given(BODIES, st.text("ab, .\n", max_size=14))
def test_matching_agrees_with_trying_every_cut(body, given_text):
    compiled = text.compile_body(body)
    expected = matches_by_trying(list(compiled.literals), list(compiled.names), given_text)
    assert (match(body, given_text) is not None) is expected
    assert (explain_mismatch(body, given_text) is None) is expected


@settings(max_examples=500)
@given(BODIES, st.data())
def test_a_changed_letter_is_matched_or_explained_at_a_place_inside_the_text(body, data):
    values = {name: data.draw(FIT) for name in text.placeholders(body)}
    rendered = text.render(body, values)
    at = data.draw(st.integers(0, len(rendered)))
    changed = rendered[:at] + data.draw(st.sampled_from(["", "#", "\t", "  "])) + rendered[at + 1 :]
    why = explain_mismatch(body, changed)
    assert (why is None) is (match(body, changed) is not None)
    if why:
        assert 0 <= why.position <= len(changed)
        assert why.variable in {"", *values}
        assert str(why)


def test_a_text_is_matched_whole_and_its_values_named():
    assert match(BODY, text.render(BODY, VALUES)) == VALUES
    assert match(BODY, text.render(BODY, VALUES) + " Bye") is None
    assert match(BODY, " " + text.render(BODY, VALUES)) is None


def test_a_body_without_placeholders_matches_itself_alone():
    assert match("Hello", "Hello") == {}
    assert match("Hello", "hello") is None


def test_letters_of_a_body_are_only_letters():
    assert match("1+1=2? (yes|no) .* {{a}}$", "1+1=2? (yes|no) .* x$") == {"a": "x"}
    assert match("a.c {{x}}", "abc y") is None


def test_a_variable_that_stands_twice_has_one_value():
    assert match("{{a}} and {{a}}", "x and x") == {"a": "x"}
    assert match("{{a}} and {{a}}", "x and y") is None
    assert match("{{a}}-{{b}}-{{a}}", "x-x-y-x-x") == {"a": "x", "b": "x-y-x"}
    assert match("{{a}}-{{b}} {{a}}", "x-y-z x-y") == {"a": "x-y", "b": "z"}


def test_an_early_literal_inside_a_value_does_not_mislead():
    assert match("{{a}}, {{b}}.", "x, y, " + "z" * 1022 + ".") == {"a": "x, y", "b": "z" * 1022}


@pytest.mark.parametrize(("size", "fits"), [(1024, True), (1025, False)])
def test_a_value_has_at_most_1024_characters(size, fits):
    assert (match("Hi {{a}}!", "Hi " + "x" * size + "!") is not None) is fits


@pytest.mark.parametrize("value", ["", "x\ny", "x\ty", "x  y", "x\u2028y"])
def test_a_value_has_no_break_tab_or_double_blank(value):
    assert match("Hi {{a}}!", f"Hi {value}!") is None


@pytest.mark.parametrize(
    ("given_text", "kind", "position", "variable"),
    [
        ("Ho Al, parcel 1 comes on Mon.", MismatchKind.DIFFERS, 1, ""),
        ("H", MismatchKind.ENDS_EARLY, 1, ""),
        ("Hi , parcel 1 comes on Mon.", MismatchKind.EMPTY_VARIABLE, 3, "name"),
        ("Hi Al\n, parcel 1 comes on Mon.", MismatchKind.UNFIT_VARIABLE, 5, "name"),
        ("Hi Al, parzel 1 comes on Mon.", MismatchKind.DIFFERS, 10, "name"),
        ("Hi Al, parcel a\tb comes on Mon.", MismatchKind.UNFIT_VARIABLE, 15, "ref"),
        ("Hi Al, parcel a  b comes on Mon.", MismatchKind.UNFIT_VARIABLE, 16, "ref"),
        ("Hi Al, parcel " + "x" * 1025 + " comes on Mon.", MismatchKind.LONG_VARIABLE, 14 + 1024, "ref"),
        ("Hi Al, parcel 1 comes", MismatchKind.ENDS_EARLY, 21, "ref"),
        ("Hi Al, parcel 1 came on Mon.", MismatchKind.DIFFERS, 17, "ref"),
        ("Hi Al, parcel 1 comes on Mon", MismatchKind.ENDS_EARLY, 28, "day"),
        ("Hi Al, parcel 1 comes on Mon. Bye!", MismatchKind.GOES_ON, 29, "day"),
        ("Hi Al, parcel 1 comes on .", MismatchKind.EMPTY_VARIABLE, 25, "day"),
        ("Hi Al, parcel 1 comes on Mon\nday.", MismatchKind.UNFIT_VARIABLE, 28, "day"),
    ],
)
def test_the_first_place_that_differs_is_named(given_text, kind, position, variable):
    why = explain_mismatch(BODY, given_text)
    assert (why.kind, why.position, why.variable) == (kind, position, variable)


def test_an_explanation_shows_both_sides():
    assert explain_mismatch("Hi there", "Hi their") == Mismatch(MismatchKind.DIFFERS, 6, "", "re", "ir")
    assert explain_mismatch("Hi", "Hi you") == Mismatch(MismatchKind.GOES_ON, 2, "", "", " you")
    assert "re" in str(explain_mismatch("Hi there", "Hi their"))


def test_a_variable_with_two_values_is_named():
    why = explain_mismatch("{{x}} {{a}} and {{a}}", "1 2 and 3")
    assert (why.kind, why.variable) == (MismatchKind.UNEQUAL_VARIABLE, "a")


def test_the_most_specific_body_wins_and_the_first_of_equals():
    bodies = ["{{a}}", "Hi {{a}}", "Hi {{b}}", "Bye {{a}}"]
    assert best_match(bodies, "Hi Al") == (1, {"a": "Al"})
    assert best_match(bodies, "Bye\nAl") is None
    assert best_match([], "Hi") is None


def test_a_body_with_too_many_placeholders_matches_nothing_and_says_so():
    body = "{{a}} " * 51
    assert match(body, "x " * 51) is None
    assert explain_mismatch(body, "x " * 51).kind is MismatchKind.TOO_MANY_VARIABLES


@pytest.mark.parametrize("size", [1_000_000, 20_000, 3_000])
@pytest.mark.parametrize("unit", ["a", "a ", " ", "ab", "a\n", "{{a}}"])
@pytest.mark.parametrize(
    "body",
    [
        "{{a}} " * 49 + "{{b}}",
        "".join(slot(f"n{n}") + "a" for n in range(50)),
        "{{a}}{{b}}" * 25,
        "a" * 2000 + "{{x}}" + "a" * 2000,
        "{{a}}{{b}}{{a}}{{c}}{{b}}{{a}}",
    ],
    ids=["one name", "many names", "nothing between", "long letters", "repeats"],
)
def test_hostile_texts_are_answered_in_bounded_time(body, unit, size):
    hostile = (unit * size)[:size]
    began = time.monotonic()
    match(body, hostile)
    explain_mismatch(body, hostile)
    assert time.monotonic() - began < WORST_S


def test_ten_thousand_renderings_match_and_a_seeded_fault_in_each_is_found():
    dice = random.Random(20)
    for n in range(10_000):
        values = {"name": f"Tan {n}", "ref": f"R-{n:06}", "day": dice.choice(["Mon", "Tue, 3 pm", "esok."])}
        rendered = text.render(BODY, values)
        assert match(BODY, rendered) == values
        name = dice.choice(list(values))
        fault = dice.choice(["x\ny", "x\ty", "x  y", "x" * 1025])
        why = explain_mismatch(BODY, text.compile_body(BODY.replace(slot(name), fault)).render(values))
        assert why.variable == name
