"""A client of the API, as another system is one."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from messaging.clients import add_key, create_client
from messaging.clock import db_now
from messaging.models import ApiClient, Connection, Scope
from tests.factories import make_connection, make_user


class Caller:
    """Speaks JSON with one key, and checks what every answer has."""

    def __init__(self, key: str, client: ApiClient) -> None:
        self.key, self.client, self.http = key, client, Client()

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> HttpResponse:
        sent = {"data": json.dumps(body), "content_type": "application/json"} if body is not None else {}
        bearer = {"Authorization": f"Bearer {self.key}"} | {name.replace("_", "-"): v for name, v in headers.items()}
        answer = self.http.generic(method.upper(), f"/api/v1/{path}", headers=bearer, **sent)
        problem = answer.status_code >= 400
        assert answer["Content-Type"] == ("application/problem+json" if problem else "application/json")
        assert not problem or answer.json()["code"], "every error has a code"
        assert not answer.cookies
        return answer

    def get(self, path: str, **headers: str) -> HttpResponse:
        return self("get", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> HttpResponse:
        return self("post", path, {} if body is None else body, **headers)


MakeCaller = Callable[..., Caller]


@pytest.fixture
def make_caller(db) -> MakeCaller:
    """A client with a key, its owner an admin; every scope unless told otherwise."""

    def make(*scopes: str, live: bool = True, role: str = "admin", **settings: Any) -> Caller:
        owner = settings.pop("owner", None) or make_user(role=role)
        name = f"System {ApiClient.objects.count()}"
        client = create_client(
            name=name, scopes=scopes or Scope.values, owner=owner, user=owner, now=db_now(), live=live, **settings
        )
        return Caller(add_key(client=client, user=owner, now=db_now()), client)

    return make


@pytest.fixture
def caller(make_caller) -> Caller:
    return make_caller()


@pytest.fixture
def connection(db) -> Connection:
    return make_connection()
