"""The page of phones, and the JSON that it lives on."""

import re
import subprocess
import sys

from tests.twin import AMINAH, FARID, ROOT, USER, Twin, running_twin

from .hook import within

STATIC = ROOT / "messaging/providers/sandbox/static"


def updates(twin: Twin, **params: object) -> dict:
    return twin.get("/handsets/updates", **params).json()


def test_page_allows_only_its_own_files(twin):
    page = twin.get("/")
    assert page.status_code == 200
    assert page.headers["Content-Security-Policy"].startswith("default-src 'self'")
    assert not re.search(r"<script(?![^>]*src=)|<style|\sstyle=|\son\w+=", page.text)
    for path in re.findall(r'(?:src|href)="([^"]+)"', page.text):
        assert twin.get(path).status_code == 200, path
    assert twin.get("/static/..%2fapp.py").status_code == 404


def test_page_names_no_other_host_and_never_writes_markup():
    for path in STATIC.iterdir():
        assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", path.read_text()), path
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval", (STATIC / "handsets.js").read_text()
    )


def test_list_has_the_newest_phone_first_and_finds_by_number(twin):
    twin.send(to=AMINAH, text="One")
    twin.send(to=FARID, text="Two")
    assert [phone["msisdn"] for phone in updates(twin)["phones"]] == [FARID, AMINAH]
    twin.control("mo", msisdn=AMINAH, text="Three")
    listed = updates(twin)["phones"]
    assert [(phone["msisdn"], phone["latest"]["text"]) for phone in listed] == [(AMINAH, "Three"), (FARID, "Two")]
    for spelling in ("+60 10-220", "010-220", "0533"):
        assert [phone["msisdn"] for phone in updates(twin, q=spelling)["phones"]] == [FARID], spelling


def test_list_shows_the_latest_fifty_of_many(twin):
    for block in range(10):
        twin.send(to=",".join(f"60123{block:02d}{n:04d}" for n in range(10)), text="Good day")
    content = updates(twin)
    assert (len(content["phones"]), content["counts"]["phones"]) == (50, 100)
    assert len(updates(twin, q="60123000007")["phones"]) == 1


def test_list_is_searched_by_words_and_shows_the_message_in_which_they_stand(twin):
    twin.send(to=AMINAH, text="The flu vaccine\nhas arrived")
    twin.control("mo", msisdn=AMINAH, text="Thank you")
    twin.send(to=FARID, text="Closed on Friday")
    (line,) = updates(twin, q="VACCINE has")["phones"]
    assert (line["msisdn"], line["latest"]["text"]) == (AMINAH, "Thank you")
    assert line["found"]["text"] == "The flu vaccine\nhas arrived"
    assert updates(twin, q="parking")["phones"] == []


def test_the_zone_of_its_clocks_is_an_option(tmp_path):
    with running_twin(tmp_path, "--port", "0", "--time-zone", "Asia/Tokyo") as twin:
        assert updates(twin)["zone"] == "Asia/Tokyo"


def test_a_zone_that_does_not_exist_is_refused(tmp_path):
    wrong = [sys.executable, "-m", "messaging.providers.sandbox", "--home", str(tmp_path), "--time-zone", "Asia/Klang"]
    said = subprocess.run(wrong, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
    assert (said.returncode, "Asia/Klang is no time zone" in said.stderr) == (2, True)


def test_only_news_are_sent_after_a_version(twin):
    twin.send(to=AMINAH, text="One")
    within(5, lambda: twin.state()["pending"]["dn"] == 0)
    known = updates(twin, open=AMINAH)
    quiet = {"after": known["version"], "epoch": known["epoch"], "open": AMINAH}
    assert (updates(twin, **quiet)["phones"], updates(twin, **quiet)["threads"]) == (None, [])
    twin.send(to=FARID, text="Two")
    assert (len(updates(twin, **quiet)["phones"]), updates(twin, **quiet)["threads"]) == (2, [])
    twin.control("mo", msisdn=AMINAH, text="Hi")
    assert len(updates(twin, **quiet)["threads"]) == 1
    twin.control("reset")
    assert updates(twin, **quiet)["epoch"] != known["epoch"]


def test_thread_shows_both_sides_with_channel_window_and_dn_state(hooked, hook):
    hooked.control("mo", msisdn=AMINAH, text="Hi <b>there</b>")
    hooked.send(text="Hello!")
    hooked.control("dn", undelivered_share=1, error_codes=["505"])
    hooked.send(to=AMINAH, text="By SMS")
    hook.wait(5)
    within(5, lambda: hooked.state()["pending"]["dn"] == 0)
    content = updates(hooked, open=AMINAH)
    (thread,) = content["threads"]
    shown = [(bubble["side"], bubble["channel"], bubble["text"], bubble.get("state")) for bubble in thread["bubbles"]]
    assert shown == [
        ("mo", "whatsapp", "Hi <b>there</b>", None),
        ("mt", "whatsapp", "Hello!", "delivered"),
        ("mt", "sms", "By SMS", "undelivered"),
    ]
    assert thread["bubbles"][2]["error"] == "505 Unknown subscriber"
    assert 86_390 < thread["window_ends_at"] - content["now"] <= 86_400
    assert (thread["user"], thread["heard"]) == (USER, True)


def test_a_dn_that_the_hook_never_took_is_marked(hooked, hook):
    hooked.control("dn", retries=0)
    hook.statuses = [500, 500]
    hooked.send()
    hook.wait(2)
    within(5, lambda: updates(hooked, open=AMINAH)["threads"][0]["bubbles"][0]["untold"])


def test_nonsense_in_the_query_is_harmless(twin):
    for params in [{"after": "x"}, {"after": "-1"}, {"open": "a,,b"}, {"q": "%"}, {"after": "9" * 400}]:
        assert twin.get("/handsets/updates", **params).status_code == 200
