"""People: found, written one by one or a thousand at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.response import Response

from contacts import numbers
from contacts.consent import suppressions_for
from contacts.directory import make_fields, upsert_contact, upsert_contacts
from contacts.models import Contact, Suppression
from messaging.api.fields import BadValue, Phone, Text, Values
from messaging.api.operations import Call, operation
from messaging.api.paging import page
from messaging.api.shapes import PageQuery, Shape, page_of
from messaging.api.views import ApiView
from messaging.models import Scope

VIEW, CHANGE = "contacts.view_contact", "contacts.change_contact"
MOST = 1_000
BUILT_IN = {"name", "msisdn"}


class ContactQuery(PageQuery):
    search = Text(required=False, max_length=100, help_text="part of a name or number")
    msisdn = Phone(required=False, help_text="exactly this number")


class _Particulars(Shape):
    name = Text(required=False, allow_blank=True, max_length=200)
    language = Text(required=False, allow_blank=True, max_length=16)
    fields_ = Values(required=False)

    def get_fields(self) -> dict[str, Any]:
        found = super().get_fields()
        found["fields"] = found.pop("fields_")  # `fields` is the serializer's own
        return found


class NewContact(_Particulars):
    """Blank and missing values leave what is stored."""

    msisdn = Phone()


class _Row(_Particulars):
    msisdn = Text(max_length=numbers.LONGEST_SPELLING)


class ManyContacts(Shape):
    contacts = serializers.ListField(child=_Row(), min_length=1, max_length=MOST)


class OptOutShape(serializers.Serializer):
    channel = serializers.CharField()
    purpose = serializers.CharField()
    since = serializers.DateTimeField()


class ContactShape(serializers.Serializer):
    """One person."""

    id = serializers.UUIDField()
    msisdn = serializers.CharField(allow_null=True)
    name = serializers.CharField(allow_blank=True)
    language = serializers.CharField(allow_blank=True)
    fields_ = serializers.DictField()
    opted_out = OptOutShape(many=True)
    whatsapp_bad_at = serializers.DateTimeField(allow_null=True)
    sms_bad_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()

    def get_fields(self) -> dict[str, Any]:
        found = super().get_fields()
        found["fields"] = found.pop("fields_")
        return found


class RowShape(serializers.Serializer):
    """What became of one row, in the order of the request."""

    index = serializers.IntegerField()
    id = serializers.UUIDField(allow_null=True)
    created = serializers.BooleanField()
    code = serializers.CharField(allow_null=True, help_text="why the row was left out")
    detail = serializers.CharField(allow_null=True)


class RowsShape(serializers.Serializer):
    results = RowShape(many=True)


def told(contacts: Sequence[Contact]) -> Iterable[dict[str, Any]]:
    """People with what they opted out of."""
    hmacs = [bytes(contact.address_hmac) for contact in contacts if contact.address_hmac]
    stops = suppressions_for(hmacs)
    for contact in contacts:
        yield _told(contact, stops[bytes(contact.address_hmac)] if contact.address_hmac else [])


def _told(contact: Contact, stops: Iterable[Suppression]) -> dict[str, Any]:
    copied = ("msisdn", "name", "language", "fields", "whatsapp_bad_at", "sms_bad_at", "created_at", "updated_at")
    values = {name: getattr(contact, name) for name in copied}
    return dict(ContactShape(values | {"id": contact.public_id, "opted_out": stops}).data)


class Contacts(ApiView):
    @operation(
        "List or search people",
        scope=Scope.CONTACTS,
        right=VIEW,
        query=ContactQuery,
        answers={200: page_of(ContactShape)},
    )
    def get(self, call: Call) -> Response:
        people = Contact.objects.living().search(call.query.get("search", ""))
        if msisdn := call.query.get("msisdn"):
            people = people.filter(msisdn=msisdn)
        return page(people, call, told)

    @operation(
        "Create or update one person by number",
        scope=Scope.CONTACTS,
        right=CHANGE,
        body=NewContact,
        answers={200: ContactShape, 201: ContactShape},
        once=True,
        description="201: the number was new. Blank and missing values leave what is stored.",
    )
    def post(self, call: Call) -> Response:
        _make_fields([call.body])
        contact, created = upsert_contact(**call.body)
        return Response(next(iter(told([contact]))), status=201 if created else 200)


class BulkContacts(ApiView):
    @operation(
        "Create or update up to 1,000 people",
        scope=Scope.CONTACTS,
        right=CHANGE,
        body=ManyContacts,
        answers={200: RowsShape},
        once=True,
        description="Each row has its own result; a row whose number cannot be read stays out, the others go in.",
    )
    def post(self, call: Call) -> Response:
        rows = [_with_digits(row) for row in call.body["contacts"]]
        good = {index: row for index, row in enumerate(rows) if not isinstance(row, numbers.BadNumber)}
        _make_fields(good.values())
        done = dict(zip(good, upsert_contacts(list(good.values())), strict=True))
        return Response({"results": [_result(index, row, done.get(index)) for index, row in enumerate(rows)]})


def _with_digits(row: Mapping[str, Any]) -> dict[str, Any] | numbers.BadNumber:
    try:
        return {**row, "msisdn": numbers.parse_msisdn(row["msisdn"])}
    except numbers.BadNumber as bad:
        return bad


def _result(index: int, row: Any, done: tuple[Contact, bool] | None) -> dict[str, Any]:
    if done is None:
        return {"index": index, "id": None, "created": False, "code": row.reason_code, "detail": str(row.words)}
    return {"index": index, "id": str(done[0].public_id), "created": done[1], "code": None, "detail": None}


def _make_fields(rows: Iterable[Mapping[str, Any]]) -> None:
    keys = {key for row in rows for key in row.get("fields", {})}
    if keys & BUILT_IN:
        raise BadValue("built_in_field", _("“name” and “msisdn” are no fields: they stand beside them."))
    make_fields(sorted(keys))


class ContactDetail(ApiView):
    @operation("One person", scope=Scope.CONTACTS, right=VIEW, answers={200: ContactShape})
    def get(self, call: Call, contact_id: Any) -> Response:
        return Response(next(iter(told([get_object_or_404(Contact.objects.living(), public_id=contact_id)]))))
