import pytest
from hypothesis import given
from hypothesis import strategies as st

from contacts.words import OPT_IN_WORDS, OPT_OUT_WORDS, Wish, read_wish

SHOUTED = st.sampled_from([str.upper, str.lower, str.title, str.swapcase])
AROUND = st.text(alphabet=" \t\n\u00a0\u3000\u200b\u200e.!?,;:'\"()[]*_-。！？、“”‘’…🛑👍🏽\ufe0f", max_size=6)


def full_width(text: str) -> str:
    return "".join(chr(ord(letter) + 0xFEE0) if "!" <= letter <= "~" else letter for letter in text)


@given(word=st.sampled_from(sorted(OPT_OUT_WORDS)), case=SHOUTED, before=AROUND, after=AROUND, wide=st.booleans())
def test_an_opt_out_word_is_obeyed_however_it_is_dressed(word, case, before, after, wide):
    said = full_width(case(word)) if wide else case(word)
    assert read_wish(before + said + after) is Wish.OPT_OUT


@given(word=st.sampled_from(sorted(OPT_IN_WORDS)), case=SHOUTED, before=AROUND, after=AROUND)
def test_so_is_an_opt_in_word(word, case, before, after):
    assert read_wish(before + case(word) + after) is Wish.OPT_IN


@pytest.mark.parametrize(
    "word",
    [
        "STOP",
        "STOPALL",
        "UNSUBSCRIBE",
        "END",
        "QUIT",
        "REVOKE",
        "OPTOUT",
        "BERHENTI",
        "HENTI",
        "BATAL",
        "CANCEL",
        "取消",
        "停止",
        "退订",
        "நிறுத்து",
    ],
)
def test_the_agreed_words_are_all_there(word):
    assert read_wish(word) is Wish.OPT_OUT


@pytest.mark.parametrize("text", ["OPT OUT", "opt-out", "Stop all", "S.T.O.P.", "stop stop STOP", "取 消"])
def test_blanks_and_repetition_change_nothing(text):
    assert read_wish(text) is Wish.OPT_OUT


@pytest.mark.parametrize(
    "text",
    [
        "stop please",
        "please STOP",
        "STOP\nSent from my phone",
        "unsubscribe me",
        "I want to opt out",
        "cancel my order",
        "batal tempahan saya",
        "tolong hentikan mesej ini",
        "Bila hujan berhenti?",
        "我想取消预约",
        "请停止发送",
        "தயவுசெய்து நிறுத்துங்கள்",
        "the end",
        "STOP START",
        "stooop",
        "unsubcribe",
        "berhnti",
    ],
)
def test_what_is_near_or_means_something_else_is_for_staff(text):
    assert read_wish(text) is Wish.ASK


@pytest.mark.parametrize(
    "text",
    ["", " ", "🛑", "hello", "ok", "shop", "step", "top", "when does it start", "mulakan", "terima kasih", "谢谢",
     "this is the end of the line", "I quit smoking long ago", "நன்றி"],
)  # fmt: skip
def test_ordinary_talk_states_no_wish(text):
    assert read_wish(text) is None


@given(st.text())
def test_any_text_can_be_read(text):
    assert read_wish(text) in {*Wish, None}


@given(
    talk=st.lists(st.sampled_from(["boss", "esok", "do", "not", "恭喜", "வணக்கம்", "pls", "order", "12"]), min_size=1),
    word=st.sampled_from(sorted(OPT_OUT_WORDS | OPT_IN_WORDS)),
    at=st.integers(0, 20),
)
def test_a_word_among_others_is_never_obeyed(talk, word, at):
    talk.insert(at, word)
    assert read_wish(" ".join(talk)) in {Wish.ASK, None}
