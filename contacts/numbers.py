"""Every spelling of a mobile number → its E.164 digits, or why not, in the user's words."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

import phonenumbers
from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from phonenumbers import PhoneNumberType, ValidationResult

LONGEST_SPELLING = 64
BARE_INTERNATIONAL_DIGITS = 10  # from here on, digits that are no number of the region may carry a country code
E164_LENGTHS = range(7, 16)  # ITU-T E.164: at most 15; the shortest in use have 7
SHORTENED = re.compile(r"[+-]?\d+([.,]\d+)?E\+?\d+", re.IGNORECASE)  # Excel's 6.0123240066E+10 has lost digits
WHOLE_FLOAT = re.compile(r"(\d{7,15})\.0+")
SCHEME = re.compile(r"(whatsapp|tel|sms):(//)?", re.IGNORECASE)
SPELLING = re.compile(r"\+?[\d\s().\[\]/\-\u2010-\u2015\u2212~]+")
MOBILE_KINDS = {PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE}

WORDS: dict[str, Promise] = {
    "missing": _("There is no number here."),
    "not_a_number": _("This is not a phone number."),
    "shortened": _(
        "The spreadsheet shortened this number and lost digits. Format the column as text and save it again."
    ),
    "too_short": _("This number is too short."),
    "too_long": _("This number is too long."),
    "unknown_country": _("No country has this country code."),
    "not_possible": _("No phone can have this number."),
    "land_line": _("This is a land-line, which cannot receive messages."),
    "not_mobile": _("This is a special number (toll-free, premium or internet), not a mobile."),
}
LENGTH_REASONS = {
    ValidationResult.TOO_SHORT: "too_short",
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "too_short",
    ValidationResult.TOO_LONG: "too_long",
    ValidationResult.INVALID_COUNTRY_CODE: "unknown_country",
    ValidationResult.INVALID_LENGTH: "not_possible",
}


class BadNumber(ValueError):
    """Text that is no mobile number; `words` says why to whoever typed it."""

    def __init__(self, reason_code: str) -> None:
        super().__init__(reason_code)
        self.reason_code = reason_code
        self.words = WORDS[reason_code]

    def __str__(self) -> str:
        return str(self.words)


def parse_msisdn(text: str, region: str | None = None) -> str:
    """E.164 digits of a mobile number in any spelling; without a country code it is one of `region` (PHONE_REGION).

    Raises BadNumber.
    """
    region = region or settings.PHONE_REGION
    if region == "MY" and is_clean_malaysian_mobile(text):
        return text
    spelling = _plain_spelling(text)
    number, reason = _judge(spelling, region)
    if reason and spelling.isdigit() and len(spelling) >= BARE_INTERNATIONAL_DIGITS:
        abroad, still_bad = _judge(f"+{spelling}", region)
        number, reason = (number, reason) if still_bad else (abroad, None)
    if reason:
        raise BadNumber(reason)
    return _digits(number)


def is_number(text: str) -> bool:
    """Whether `parse_msisdn` reads it."""
    try:
        return bool(parse_msisdn(text))
    except BadNumber:
        return False


def sender_digits(text: str) -> str:
    """The E.164 digits of somebody who wrote to us: they have a phone, whatever the numbering plan says.

    Land-lines on WhatsApp and number ranges newer than our tables pass. Raises BadNumber for what is no number at all.
    """
    try:
        return parse_msisdn(text)
    except BadNumber as bad:
        spelling = _plain_spelling(text)
        number, reason = _judge(spelling, settings.PHONE_REGION)
        if reason in {"land_line", "not_mobile"}:
            return _digits(number)
        digits = re.sub(r"\D", "", spelling)
        if digits.startswith("0") or len(digits) not in E164_LENGTHS:
            raise bad from None
        return digits


def spelled(msisdn: str) -> str:
    """E.164 digits as people read them: +60 12-324 0066."""
    try:
        number = phonenumbers.parse(f"+{msisdn}")
    except phonenumbers.NumberParseException:
        return f"+{msisdn}"
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def is_clean_malaysian_mobile(text: str) -> bool:
    """The fast path of imports: digits exactly as we store them."""
    return text.startswith("601") and text.isascii() and _malaysian_mobile().fullmatch(text, 2) is not None


@cache
def _malaysian_mobile() -> re.Pattern[str]:
    metadata = phonenumbers.PhoneMetadata.metadata_for_region("MY")
    assert metadata and metadata.mobile and metadata.mobile.national_number_pattern
    return re.compile(metadata.mobile.national_number_pattern, re.ASCII)


def _plain_spelling(text: str) -> str:
    """ASCII digits, `+` and separators; what else people and programs put around a number is taken off."""
    if len(text) > LONGEST_SPELLING:
        raise BadNumber("too_long" if text.strip().isdigit() else "not_a_number")
    plain = "".join(_plain_character(character) for character in unicodedata.normalize("NFKC", text))
    plain = SCHEME.sub("", plain.strip().lstrip("'").strip(), count=1).strip()
    if not plain:
        raise BadNumber("missing")
    if SHORTENED.fullmatch(plain):
        raise BadNumber("shortened")
    if whole := WHOLE_FLOAT.fullmatch(plain):
        plain = whole[1]
    if not SPELLING.fullmatch(plain) or not any(character.isdigit() for character in plain):
        raise BadNumber("not_a_number")
    return f"+{plain[2:]}" if plain.startswith("00") else plain


def _plain_character(character: str) -> str:
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    return "" if unicodedata.category(character) == "Cf" else character  # zero-width and bidi marks


def _judge(spelling: str, region: str) -> tuple[phonenumbers.PhoneNumber | None, str | None]:
    """The number as read in the region, and why it cannot be messaged."""
    try:
        number = phonenumbers.parse(spelling, region)
    except phonenumbers.NumberParseException as error:
        return None, _unreadable(error)
    if wrong := LENGTH_REASONS.get(phonenumbers.is_possible_number_with_reason(number)):
        return number, wrong
    kind = phonenumbers.number_type(number)
    if kind in MOBILE_KINDS:
        return number, None
    if kind == PhoneNumberType.UNKNOWN:
        return number, _wrong_length(number)
    return number, "land_line" if kind == PhoneNumberType.FIXED_LINE else "not_mobile"


def _wrong_length(number: phonenumbers.PhoneNumber) -> str:
    """Its length is some other kind's: one digit more or less would make a mobile of it."""
    for reason, digits in (("too_short", f"{number.national_number}0"), ("too_long", f"{number.national_number}"[:-1])):
        other = phonenumbers.PhoneNumber(country_code=number.country_code, national_number=int(digits or 0))
        if phonenumbers.number_type(other) in MOBILE_KINDS:
            return reason
    return "not_possible"


def _unreadable(error: phonenumbers.NumberParseException) -> str:
    return {
        error.INVALID_COUNTRY_CODE: "unknown_country",
        error.TOO_SHORT_AFTER_IDD: "too_short",
        error.TOO_SHORT_NSN: "too_short",
        error.TOO_LONG: "too_long",
    }.get(error.error_type, "too_short")


def _digits(number: phonenumbers.PhoneNumber | None) -> str:
    assert number is not None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164).removeprefix("+")
