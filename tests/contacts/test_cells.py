import csv
import io
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from contacts.imports.cells import TRIGGERS, guard, unguard

STARTERS = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠")


def test_no_short_cell_starts_a_formula_and_each_comes_back():
    for length in range(5):
        for letters in product("=+-@\t\r\n\0＝＋－＠'a ", repeat=length):
            cell = "".join(letters)
            assert not guard(cell).startswith(STARTERS)
            assert unguard(guard(cell)) == cell


@given(st.text(st.characters() | st.sampled_from("'\",;" + TRIGGERS), max_size=40))
def test_a_cell_survives_a_csv_file_unchanged(cell):
    out = io.StringIO()
    csv.writer(out).writerow([guard(cell), "x"])
    [[read, _]] = csv.reader(io.StringIO(out.getvalue(), newline=""))
    assert not read.startswith(STARTERS)
    assert unguard(read) == cell


def test_ordinary_cells_are_left_alone():
    assert [guard(cell) for cell in ["Ain", "'Ain", "60123240066", ""]] == ["Ain", "'Ain", "60123240066", ""]
