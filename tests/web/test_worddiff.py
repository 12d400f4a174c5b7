from hypothesis import given
from hypothesis import strategies as st

from messaging.web.templates.worddiff import Stretch, word_diff

TEXTS = st.text(alphabet="ab {}\n.n_陈", max_size=60)


@given(before=TEXTS, after=TEXTS)
def test_the_stretches_give_both_texts_back(before, after):
    stretches = word_diff(before, after)
    assert "".join(one.text for one in stretches if one.kind != "added") == before
    assert "".join(one.text for one in stretches if one.kind != "removed") == after


@given(text=TEXTS)
def test_a_text_does_not_differ_from_itself(text):
    assert all(one.kind == "same" for one in word_diff(text, text))


def test_words_and_placeholders_change_as_a_whole():
    assert word_diff("Dear {{name}}, hi", "Dear {{names}}, hi") == [
        Stretch("same", "Dear "),
        Stretch("removed", "{{name}}"),
        Stretch("added", "{{names}}"),
        Stretch("same", ", hi"),
    ]
