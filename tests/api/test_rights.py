"""Every operation against every scope and role: a key does what its scope says, and what its owner could do."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission
from django.urls import URLPattern, get_resolver

from messaging.api.operations import Operation
from messaging.api.views import ApiView
from messaging.models import Scope
from messaging.roles import ROLES
from tests.factories import make_user


def _operations() -> Iterator[tuple[str, str, Operation]]:
    for pattern, view in _patterns(get_resolver("messaging.api.urls").url_patterns):
        assert issubclass(view, ApiView), f"{pattern}: not guarded"
        for method in view.http_method_names:
            if handler := getattr(view, method, None):
                yield method, pattern, handler.operation


def _patterns(patterns, before="") -> Iterator[tuple[str, type]]:
    for one in patterns:
        here = before + str(one.pattern)
        if isinstance(one, URLPattern):
            yield here, one.callback.view_class
        else:
            yield from _patterns(one.url_patterns, here)


OPERATIONS = sorted(_operations(), key=lambda found: found[:2])
NAMES = [f"{method} {pattern}" for method, pattern, _ in OPERATIONS]


def _path(pattern: str) -> str:
    """With ids that nothing has: who may not, must not even learn that."""
    path = pattern.removeprefix("api/v1/")
    while "<" in path:
        head, _, rest = path.partition("<")
        path = head + str(uuid4()) + rest.partition(">")[2]
    return path


@pytest.mark.parametrize(("method", "pattern", "operation"), OPERATIONS, ids=NAMES)
def test_an_operation_takes_its_scope_and_no_other(make_caller, method, pattern, operation):
    owner = make_user(role="admin")
    others = [scope for scope in Scope.values if scope != operation.scope]
    refused = make_caller(*others, owner=owner)(method, _path(pattern))
    assert (refused.status_code, refused.json()["code"]) == (403, "scope_missing")
    assert make_caller(operation.scope, owner=owner)(method, _path(pattern)).status_code not in (401, 403)


GUARDED = [found for found in OPERATIONS if found[2].right]


@pytest.mark.parametrize("role", ["", *sorted(ROLES)])
@pytest.mark.parametrize(
    ("method", "pattern", "operation"), GUARDED, ids=[f"{method} {pattern}" for method, pattern, _ in GUARDED]
)
def test_a_key_never_does_or_reads_what_its_owner_could_not(make_caller, method, pattern, operation, role):
    answer = make_caller(role=role)(method, _path(pattern))
    allowed = operation.right in ROLES.get(role, ())
    assert (answer.status_code == 403) is not allowed
    assert allowed or answer.json()["code"] == "owner_may_not"


def test_every_operation_asks_for_a_right():
    free = {pattern for _method, pattern, operation in OPERATIONS if not operation.right}
    assert all("webhook-endpoints" in pattern for pattern in free), "a client's own endpoints need its scope alone"


def test_the_rights_exist(db):
    known = {f"{right.content_type.app_label}.{right.codename}" for right in Permission.objects.all()}
    assert {operation.right for *_, operation in GUARDED} <= known


def test_nothing_outside_the_described_fields_can_be_written():
    """A request's shape lists its fields; none is a column that only services write."""
    ours = {"id", "public_id", "pk", "state", "editor_ids", "submitted_by", "approved_by", "owner", "client", "live"}
    for method, pattern, operation in OPERATIONS:
        fields = set(operation.body().fields) if operation.body else set()
        assert not fields & ours, f"{method} {pattern}"
