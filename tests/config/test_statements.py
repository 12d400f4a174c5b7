"""Statements that are planned once a session."""

import pytest
from django.db import DataError
from django.db import connection as database

from config.statements import prepared_cursor

ASK_SQL = "SELECT %(number)s::int + 1"
PLANS_SQL = (
    "SELECT generic_plans + custom_plans FROM pg_prepared_statements WHERE statement LIKE 'SELECT $1::int + 1%%'"
)


def ask(number: object) -> int:
    with prepared_cursor() as cursor:
        cursor.execute(ASK_SQL, {"number": number})
        return cursor.fetchone()[0]


@pytest.mark.django_db
def test_a_statement_that_comes_again_is_prepared_by_the_server():
    assert [ask(number) for number in range(5)] == [1, 2, 3, 4, 5]
    with database.cursor() as cursor:
        cursor.execute(PLANS_SQL)
        assert cursor.fetchone()[0] >= 3


@pytest.mark.django_db
def test_django_sees_it_and_says_what_went_wrong():
    seen = []

    def watch(execute, sql, params, many, context):
        seen.append(sql)
        return execute(sql, params, many, context)

    with database.execute_wrapper(watch), pytest.raises(DataError):
        ask("nine")
    assert seen == [ASK_SQL]
