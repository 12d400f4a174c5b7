"""Bodies as callers send them, and then broken: for every reader that must not fall over."""

from hypothesis import strategies as st

SAMPLES = [
    b'{"status" : SENT, "error-code" : 20, "msisdn" : 60123240066, "msgid" : "78-1633193001.0602-0" # first\n}',
    b'{"status":"DELIVERED","error-code":"000","msisdn":"60123240066","msgid":"78-1633193001.0602-0"}',
    b'[{"status":"SENT","msgid":5515023,"msisdn":60123240066},{"dlr_status":"X","id":1e999}]',
    b"status=UNDELIVERED&error_code=554&mobile=%2B60123240066&msgId=78-1.2",
    (
        b'--b\r\nContent-Disposition: form-data; name="status"\r\n\r\nSENT\r\n--b\r\n'
        b'Content-Disposition: form-data; name="msgid"\r\n\r\n78-1\r\n--b--\r\n'
    ),
    b"from=whatsapp%3A%2B60123240066&text=Hai+%F0%9F%98%80&moid=7&time=2026-03-01+10:00:00",
    '{"from":"60123240066","text":{"body":"你好 வணக்கம்"},"timestamp":"1767225600","image":[{"link":"http://a/b"}]}'.encode(),
    b'{"text":' + b"[" * 2_000 + b"]" * 2_000 + b',"from":1}',
    b'{"image":' + b'{"url":' * 900 + b"1" + b"}" * 900 + b',"from":"6012"}',
    "from=1&text=\x00\ud800".encode("utf-8", "surrogatepass"),
]
CONTENT_TYPES = [
    "",
    "application/json",
    "text/plain; charset=utf-16",
    "text/plain; charset=idna",
    "application/x-www-form-urlencoded; charset=gbk",
    "multipart/form-data; boundary=b",
    "multipart/form-data; boundary=",
    "multipart/form-data",
]


@st.composite
def broken(draw: st.DrawFn) -> bytes:
    """A sample with a few places cut out or overwritten, or bytes that never were one."""
    if draw(st.integers(0, 5)) == 0:
        return draw(st.binary(max_size=300))
    body = bytearray(draw(st.sampled_from(SAMPLES)))
    for _ in range(draw(st.integers(0, 6))):
        place = draw(st.integers(0, len(body)))
        body[place : place + draw(st.integers(0, 4))] = draw(st.binary(max_size=4))
    return bytes(body)


content_types = st.one_of(st.sampled_from(CONTENT_TYPES), st.text(max_size=40))
