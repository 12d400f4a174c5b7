import pytest

from contacts.imports.mapping import check_mapping, make_fields, suggest_mapping
from contacts.imports.refusal import FileRefused
from contacts.models import ContactField

pytestmark = pytest.mark.django_db


def suggested(*header, filled=frozenset(range(50))):
    return suggest_mapping(list(header), filled)


@pytest.mark.parametrize(
    "title",
    [
        "msisdn", "Phone", "MOBILE", "number", "Telefon", "No Telefon", "No. Telefon", "NO.TELEFON", "No. HP", "No HP",
        "Tel", "Tel. No.", "Handphone", "Nombor", "H/P", "Mobile No", "Mobile No.", "Phone Number", "phone_number",
        "№ Telefon", "Tel. bimbit", "电话", "手机", "手机号码：", "கைபேசி எண்",
    ],
)  # fmt: skip
def test_the_number_is_known_by_its_header(title):
    assert suggested("x", title) == {"x": "x", title: "msisdn"}


def test_name_and_language_have_two_words_each():
    assert suggested("Phone", "NAMA", "Bahasa") == {"Phone": "msisdn", "NAMA": "name", "Bahasa": "language"}
    assert suggested("Phone", "Name", "Language") == {"Phone": "msisdn", "Name": "name", "Language": "language"}


@pytest.mark.parametrize("title", ["Nama", "NAMA PENUH", "Name", "Full name", "full_name", "姓名", "Nama Pesakit"])
def test_the_name_is_known_by_its_header(title):
    assert suggested("H/P", title) == {"H/P": "msisdn", title: "name"}


def test_a_heading_that_may_be_any_number_gives_way_to_one_that_is_a_telephones():
    assert suggested("Nombor", "Nama", "No. HP") == {"Nombor": "nombor", "Nama": "name", "No. HP": "msisdn"}
    assert suggested("Nombor", "No Rumah") == {"Nombor": "msisdn", "No Rumah": "no_rumah"}


def test_a_refusal_lists_the_headings_that_there_are_and_is_not_as_long_as_they():
    with pytest.raises(FileRefused, match="The headings are: “Bil”, “Nama”, “Ala…”") as refused:
        check_mapping({"Bil": "bil", "Nama": "name", "Ala…": "ala"})
    assert "…, …" not in refused.value.words
    with pytest.raises(FileRefused) as refused:
        check_mapping({f"{n}{'x' * 190}": f"f_{n}" for n in range(50)})
    assert len(refused.value.words) < 1_200


@pytest.mark.parametrize(
    ("title", "key"),
    [
        ("Baki (RM)", "baki_rm"),
        ("Café – Nº", "cafe_no"),
        ("2nd visit", "f_2nd_visit"),
        ("店铺", "field_2"),
        ("கடை", "field_2"),
        ("x" * 60, "x" * 32),
        ("Row number", "row_number"),
    ],
)
def test_other_headers_become_the_key_of_a_field(title, key):
    assert suggested("phone", title) == {"phone": "msisdn", title: key}


def test_our_own_columns_of_a_bad_rows_file_are_left_out():
    assert suggested("phone", "ROW", "Reason") == {"phone": "msisdn"}


def test_a_second_column_for_the_same_thing_becomes_a_field():
    assert suggested("phone", "mobile", "name", "nama") == {
        "phone": "msisdn",
        "mobile": "mobile",
        "name": "name",
        "nama": "nama",
    }


def test_no_field_takes_a_built_in_key():
    assert suggested("nama", "phone", "msisdn", "name") == {
        "nama": "name",
        "phone": "msisdn",
        "msisdn": "f_msisdn",
        "name": "f_name",
    }


def test_titles_that_look_alike_keep_their_columns_apart():
    assert suggested("phone", "Shop Name", "shop-name", "SHOP NAME!")["Shop Name"] == "shop_name"
    assert len(set(suggested("phone", "Shop Name", "shop-name", "SHOP NAME!").values())) == 4


def test_a_field_is_found_again_by_its_label_wherever_its_column_stands():
    make_fields(suggested("phone", "店铺"))
    assert suggested("phone", "地址", "店铺") == {"phone": "msisdn", "地址": "field_2_2", "店铺": "field_2"}
    assert ContactField.objects.get(key="field_2").label == "店铺"


def test_a_column_without_title_counts_only_if_it_holds_something():
    assert suggested("phone", "Column 2", "Column 3", filled=frozenset({0, 2})) == {
        "phone": "msisdn",
        "Column 3": "column_3",
    }


@pytest.mark.parametrize(
    ("mapping", "code"),
    [
        ({"Nama": "name"}, "no_number_column"),
        ({"a": "msisdn", "b": "msisdn"}, "two_columns"),
        ({"a": "msisdn", "b": "Baki RM"}, "bad_mapping"),
        ({"a": "msisdn", "b": ""}, "bad_mapping"),
    ],
)
def test_columns_that_contradict_each_other_are_refused(mapping, code):
    with pytest.raises(FileRefused) as refused:
        check_mapping(mapping)
    assert refused.value.code == code
