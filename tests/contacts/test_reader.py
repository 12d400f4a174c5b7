import io
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contacts.imports.reader import MAX_CELL, MAX_RECORD, Sheet
from contacts.imports.refusal import FileRefused


def sheet(content: str | bytes, encoding: str = "") -> Sheet:
    return Sheet(io.BytesIO(content.encode() if isinstance(content, str) else content), encoding)


def refusal(content: str | bytes, encoding: str = "") -> FileRefused:
    with pytest.raises(FileRefused) as refused:
        sheet(content, encoding).survey()
    return refused.value


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_the_delimiter_is_read_off_the_headers(delimiter, line_end):
    read = sheet(line_end.join(delimiter.join(cells) for cells in [["phone", "name"], ["1", "a"], ["2", "b"]]))
    assert read.delimiter == delimiter
    assert read.header == ["phone", "name"]
    assert [row.cells for row in read.rows()] == [["1", "a"], ["2", "b"]]


def test_a_delimiter_inside_quotes_does_not_count():
    assert sheet('"a,b,c,d";phone\nx;1').header == ["a,b,c,d", "phone"]


def test_excels_separator_line_is_no_row():
    read = sheet("sep=|\r\nphone|name\r\n012|Ain\r\n")
    assert read.header == ["phone", "name"]
    assert [(row.number, row.cells) for row in read.rows()] == [(2, ["012", "Ain"])]


@pytest.mark.parametrize(
    ("encoding", "said"),
    [
        ("utf-8", ""),
        ("utf-8-sig", ""),
        ("utf-16", ""),
        ("utf-8", "utf-8"),
        ("gb18030", "gb18030"),
        ("utf-8-sig", "cp1252"),
    ],
)
def test_letters_survive_every_encoding_that_can_be_known(encoding, said):
    read = sheet("phone,name\n1,陈美玲 👩🏽\n".encode(encoding), said)
    assert read.header == ["phone", "name"]
    assert [row.cells for row in read.rows()] == [["1", "陈美玲 👩🏽"]]


def test_what_is_no_utf8_is_asked_about_and_can_then_be_said():
    lines = ["phone,name", *(f"{number},{'Zoë' if number == 3_000 else 'Ali'}" for number in range(5_000))]
    content = "\n".join(lines).encode("cp1252")
    refused = refusal(content)
    assert refused.code == "encoding"
    assert refused.words == "Row 3002 is not UTF-8. Which encoding was the file saved in?"
    assert list(sheet(content, "cp1252").rows())[3_000].cells == ["3000", "Zoë"]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        ("\n \n,,\n", "empty"),
        ("phone,name\n", "no_rows"),
        ("phone,name\n,\n  , \n\n", "no_rows"),
        (b"PK\x03\x04rest of a workbook", "workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "workbook"),
        ("phone\n012\0\n", "not_text"),
        ("phone,name\n1,2\n".encode("utf-16-le"), "not_text"),
        ("phone,Phone \n1,2\n", "duplicate_header"),
        (",".join(f"c{column}" for column in range(51)) + "\n1\n", "too_many_columns"),
        ("phone," + "x" * 201 + "\n1,2\n", "long_header"),
        ('phone,name\n012,Ali\n013,"Ain\n014,Siti\n', "open_quote"),
        ('phone,name\n012,"' + "x\n" * MAX_RECORD, "long_row"),
        ("phone,name\n" + "x" * (MAX_RECORD + 10), "long_row"),
        ("phone\n" + "1\n" * 1_000_001, "too_many_rows"),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 20 and value.isidentifier() else "file",
)
def test_a_file_that_cannot_be_a_list_of_people_is_refused_whole(content, code):
    refused = refusal(content)
    assert refused.code == code
    assert refused.words.endswith((".", "?"))


class EndlessLine(io.BytesIO):
    """A file that is one line without end, as far as anybody has the patience to read."""

    def read(self, size=-1):
        assert size >= 0
        self.handed_out = getattr(self, "handed_out", 0) + size
        assert self.handed_out < 50 * MAX_RECORD
        return b"x" * size

    read1 = read


def test_a_line_without_end_is_not_read_to_its_end():
    with pytest.raises(FileRefused) as refused:
        Sheet(EndlessLine())
    assert refused.value.code == "long_row"


def test_the_row_at_fault_is_named_as_the_spreadsheet_counts():
    assert (
        refusal('phone,name\n1,"two\nlines"\n\n2,"open\n').words == "A quotation mark opened in row 4 is never closed."
    )


def test_rows_are_numbered_as_the_users_spreadsheet_shows_them():
    read = sheet('phone,name\n1,"two\nlines"\n\n,\n2,Ain\n')
    assert [(row.number, row.cells) for row in read.rows()] == [(2, ["1", "two\nlines"]), (5, ["2", "Ain"])]


def test_blank_lines_above_the_headers_are_skipped():
    assert [(row.number, row.cells) for row in sheet("\n\nphone\n012\n").rows()] == [(4, ["012"])]


COUNTER = "Bil;Pesakit;Hubungi;Cawangan;Catatan\n1;Nurul;012-345 6789;Kapar;\n2;Ravi;+60 17 222 3344;;petang\n"


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize(
    ("above", "title"),
    [
        ("Klinik Mesra - senarai kaunter 27/11/2026\n", "Klinik Mesra - senarai kaunter 27/11/2026"),
        ("Klinik Mesra 27/11/2026\n\n", "Klinik Mesra 27/11/2026"),
        ("\nKlinik Mesra;;;;\n;;;;\n", "Klinik Mesra"),
        (";;Klinik Mesra;;\n", "Klinik Mesra"),
        ("Tarikh:;27/11/2026;;;\nTelefon;03-3344 5566;;;\n", "Tarikh: · 27/11/2026 · Telefon · 03-3344 5566"),
        ('"Klinik "Mesra" Kapar\n', '"Klinik "Mesra" Kapar'),
        ('"Klinik Mesra\nCawangan Kapar"\n', "Klinik Mesra\nCawangan Kapar"),
    ],
)
def test_lines_above_the_headings_are_a_title_and_rows_keep_their_numbers(above, title, separator):
    read = sheet((above + COUNTER).replace(";", separator))
    assert (read.delimiter, read.header) == (separator, ["Bil", "Pesakit", "Hubungi", "Cawangan", "Catatan"])
    lines = 1 if above.count('"') == 2 else above.count("\n")
    assert (read.title, read.title_lines) == (title, lines)
    assert [(row.number, row.cells[1]) for row in read.rows()] == [(lines + 2, "Nurul"), (lines + 3, "Ravi")]


def test_a_comma_in_the_title_or_in_addresses_parts_no_columns():
    text = "Klinik Mesra, Kapar\nHubungi;Alamat\n0123240066;No 5, Jalan Satu, Klang\n0198765432;No 7, Jalan Dua, Muar\n"
    read = sheet(text)
    assert (read.header, read.title) == (["Hubungi", "Alamat"], "Klinik Mesra, Kapar")
    assert sheet(text.partition("\n")[2]).title == ""
    assert sheet(text.partition("\n")[2]).header == ["Hubungi", "Alamat"]


def test_a_title_above_one_column_or_below_excels_separator_line_is_found_too():
    assert sheet("Senarai kaunter\nNo Telefon\n012-324 0066\n").header == ["No Telefon"]
    read = sheet("sep=|\r\nKlinik Mesra\r\nBil|Hubungi\r\n1|012-324 0066\r\n")
    assert (read.header, read.title_lines) == (["Bil", "Hubungi"], 1)
    assert [row.number for row in read.rows()] == [3]


@pytest.mark.parametrize(
    "content",
    [
        "phone,,\n0123240066,Ali,Klang\n",
        "phone\nx,Ali\ny,Tan\n",
        "phone,name\nx,No 5, Jalan Satu\ny,No 7, Jalan Dua\nz,No 9, Jalan Tiga\n",
        "Hubungi,,Nama\n0123240066,x,Ali\n0198765432,y,Tan\n",
        "0123240066,Aminah\n03-3344 5566,Tan\n0198765432,Siti\n",
        "Hubungi,Nama\n0123240066\n0198765432\n",
        "Hubungi\n0123240066\n",
        "Tel 2,row,reason\nx,2,bad,more\ny,3,bad,more\n",
    ],
)
def test_nobody_is_taken_for_a_title(content):
    read = sheet(content)
    assert (read.title, read.title_lines) == ("", 0)
    assert [row.number for row in read.rows()] == list(range(2, content.count("\n") + 1))


def test_a_short_row_is_padded_and_a_long_one_is_bad_only_if_something_is_in_it():
    rows = list(sheet("phone,name\n1\n2,b,,\n3,c,d\n").rows())
    assert [(row.cells, row.problem) for row in rows] == [
        (["1", ""], ""),
        (["2", "b"], ""),
        (["3", "c", "d"], "too_many_cells"),
    ]


def test_one_bad_row_spoils_no_other():
    rows = list(sheet(f'phone,name\n1,"a"b\n2,{"x" * (MAX_CELL + 1)}\n3,"c ""d"", e"\n').rows())
    assert [(row.number, row.problem) for row in rows] == [(2, "quotes"), (3, "long_cell"), (4, "")]
    assert rows[2].cells == ["3", 'c "d", e']


@given(st.binary(max_size=300))
def test_any_bytes_are_rows_or_a_refusal(content):
    for encoding in ("", "cp1252", "gb18030", "utf-16"):
        with suppress(FileRefused):
            read = sheet(content, encoding)
            assert read.survey().rows == len(list(read.rows()))
