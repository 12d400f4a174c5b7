"""A conversation's pages, and what was sent to its person."""

from django.urls import reverse

from messaging.models import Message


def url(talk, name="conversation_detail"):
    return reverse(name, args=[talk.public_id])


def page(client, talk):
    return client.get(url(talk)).content.decode()


def sent(talk):
    return Message.objects.mts().filter(contact=talk.contact).order_by("-pk")
