"""How many parts an SMS has, and what a message costs (in ten-thousandths of a ringgit)."""

GSM7 = frozenset(  # 3GPP TS 23.038, default alphabet
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM7_TWICE = frozenset("\f^{}\\[~]|€")  # the extension table: an escape and a character
MALAYSIAN_PREFIX = "RM0 "  # put before every SMS to a Malaysian number by the platform

SCALE = 10_000
WHATSAPP_CHARGE = 1_000  # RM 0.1000 a message; invented, as the provider publishes no price
SMS_CHARGE = 800  # RM 0.0800 a part; invented too


def charge(text: str, msisdn: str, channel: str) -> int:
    return WHATSAPP_CHARGE if channel == "whatsapp" else SMS_CHARGE * sms_parts(text, msisdn)


def sms_parts(text: str, msisdn: str) -> int:
    """Parts as billed: 160/153 letters of GSM-7, else 70/67 UTF-16 units."""
    if msisdn.startswith("60"):
        text = MALAYSIAN_PREFIX + text
    if all(letter in GSM7 or letter in GSM7_TWICE for letter in text):
        return _gsm7_parts(text)
    units = len(text.encode("utf-16-le")) // 2
    return 1 if units <= 70 else -(-units // 67)


def _gsm7_parts(text: str) -> int:
    units = len(text) + sum(letter in GSM7_TWICE for letter in text)
    return 1 if units <= 160 else -(-units // 153)


def money(amount: int) -> str:
    return f"{amount // SCALE}.{amount % SCALE:04d}"
