"""Lists of people."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.response import Response

from contacts.lists import BadName, add_people, remove_person, save_list
from contacts.models import Contact, ContactList
from messaging.api.contacts import ContactShape, told
from messaging.api.fields import BadValue, Id, Text
from messaging.api.operations import Call, operation
from messaging.api.paging import OLDEST, page
from messaging.api.shapes import PageQuery, Shape, page_of
from messaging.api.views import ApiView
from messaging.models import Scope

VIEW, ADD, CHANGE = "contacts.view_contactlist", "contacts.add_contactlist", "contacts.change_contactlist"
VIEW_PEOPLE = "contacts.view_contact"


class ListName(Shape):
    name = Text(max_length=120)


class Members(Shape):
    contacts = serializers.ListField(child=Id(), min_length=1, max_length=1_000, help_text="ids of people")


class ListShape(serializers.Serializer):
    """One list and how many people are in it."""

    id = serializers.UUIDField(source="public_id")
    name = serializers.CharField()
    people = serializers.IntegerField()
    created_at = serializers.DateTimeField()


class AddedShape(serializers.Serializer):
    added = serializers.IntegerField(help_text="how many were not in it before")


class RemovedShape(serializers.Serializer):
    removed = serializers.BooleanField(help_text="whether they were in it")


def _find(list_id: Any) -> ContactList:
    return get_object_or_404(ContactList.objects.with_people(), public_id=list_id)


def _save(contact_list: ContactList, name: str) -> ContactList:
    try:
        save_list(contact_list=contact_list, name=name)
    except BadName:
        raise BadValue("bad_name", _("A list needs a name, and one of its own.")) from None
    return _find(contact_list.public_id)


class Lists(ApiView):
    @operation("All lists", scope=Scope.CONTACTS, right=VIEW, query=PageQuery, answers={200: page_of(ListShape)})
    def get(self, call: Call) -> Response:
        return page(ContactList.objects.with_people(), call, ListShape)

    @operation("Make a list", scope=Scope.CONTACTS, right=ADD, body=ListName, answers={201: ListShape}, once=True)
    def post(self, call: Call) -> Response:
        return Response(ListShape(_save(ContactList(), call.body["name"])).data, status=201)


class ListDetail(ApiView):
    @operation("One list", scope=Scope.CONTACTS, right=VIEW, answers={200: ListShape})
    def get(self, call: Call, list_id: Any) -> Response:
        return Response(ListShape(_find(list_id)).data)

    @operation("Rename a list", scope=Scope.CONTACTS, right=CHANGE, body=ListName, answers={200: ListShape})
    def patch(self, call: Call, list_id: Any) -> Response:
        return Response(ListShape(_save(_find(list_id), call.body["name"])).data)


class ListMembers(ApiView):
    @operation(
        "The people in a list",
        scope=Scope.CONTACTS,
        right=VIEW_PEOPLE,
        query=PageQuery,
        answers={200: page_of(ContactShape)},
    )
    def get(self, call: Call, list_id: Any) -> Response:
        return page(Contact.objects.filter(lists=_find(list_id)), call, told, OLDEST)

    @operation(
        "Add up to 1,000 people", scope=Scope.CONTACTS, right=CHANGE, body=Members, answers={200: AddedShape}, once=True
    )
    def post(self, call: Call, list_id: Any) -> Response:
        contact_list, ids = _find(list_id), set(call.body["contacts"])
        people = list(Contact.objects.living().filter(public_id__in=ids))
        if len(people) < len(ids):
            raise BadValue("unknown_contact", _("Not all of these people exist; nobody was added."))
        return Response({"added": add_people(contact_list=contact_list, contacts=people)})


class ListMember(ApiView):
    @operation("Take a person out of a list", scope=Scope.CONTACTS, right=CHANGE, answers={200: RemovedShape})
    def delete(self, call: Call, list_id: Any, contact_id: Any) -> Response:
        contact = Contact.objects.filter(public_id=contact_id).first()
        if contact is None:
            raise Http404
        return Response({"removed": remove_person(contact_list=_find(list_id), contact=contact)})
