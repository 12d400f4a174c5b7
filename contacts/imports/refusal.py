from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

WORDS: dict[str, Promise] = {
    "empty": _("The file is empty."),
    "no_rows": _("The file has a line of headers, but nobody below it."),
    "too_big": _("The file is larger than %(limit)s MB."),
    "workbook": _("This is a spreadsheet's own format. Save it as CSV (UTF-8) and try again."),
    "not_text": _(
        "Row %(row)s contains NUL characters, so this is not a CSV file, or its encoding is UTF-16 without a mark."
    ),
    "encoding": _("Row %(row)s is not %(encoding)s. Which encoding was the file saved in?"),
    "long_row": _(
        "Row %(row)s is longer than %(limit)s characters. Is a quotation mark opened there and never closed?"
    ),
    "open_quote": _("A quotation mark opened in row %(row)s is never closed."),
    "too_many_rows": _("The file has more than %(limit)s rows. Split it."),
    "too_many_columns": _("The file has more than %(limit)s columns."),
    "long_header": _("The header of column %(column)s is longer than %(limit)s characters."),
    "duplicate_header": _("Two columns are called “%(header)s”. Give each column its own name."),
    "no_number_column": _(
        "No column is known to hold the number. The headings are: %(found)s. "
        "Call the number's column Phone, Mobile, No Telefon or No HP."
    ),
    "two_columns": _("More than one column is to be “%(target)s”. Choose one."),
    "bad_mapping": _("“%(target)s” cannot be the key of a field."),
    "broken": _("The file could not be stored. Nothing more of it goes in; ask your administrator."),
    "gone": _("The uploaded file is no longer there. Upload it again."),
}


class FileRefused(Exception):
    """The whole file cannot be imported; `words` says why to whoever uploaded it. Nothing of it went in."""

    def __init__(self, code: str, **facts: object) -> None:
        super().__init__(code)
        self.code = code
        self.words = str(WORDS[code]) % facts

    def __str__(self) -> str:
        return self.words
