from __future__ import annotations

import uuid

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models.functions import Coalesce, Upper
from django.utils.translation import gettext_lazy as _

from contacts.addresses import address_hmac
from contacts.numbers import spelled


class AddressHmacField(models.BinaryField):
    """Follows the contact's address by itself, in `save` and `bulk_create`."""

    def pre_save(self, model_instance: models.Model, add: bool) -> bytes | None:
        address = model_instance.address  # type: ignore[attr-defined]
        value = address_hmac(address) if address else None
        setattr(model_instance, self.attname, value)
        return value


class ContactQuerySet(models.QuerySet["Contact"]):
    def living(self) -> ContactQuerySet:
        """Everyone who has not been erased."""
        return self.filter(erased_at=None)

    def lock(self, contact: Contact) -> Contact:
        """The row as it is now, FOR NO KEY UPDATE: the sending gate steps around it until we commit."""
        return self.select_for_update(no_key=True).get(pk=contact.pk)

    def search(self, words: str) -> ContactQuerySet:
        """People whose name contains the words, or whose number contains their digits."""
        words = words.replace("\0", "").strip()  # no text column takes a NUL
        digits = "".join(character for character in words if character.isdecimal())
        found = models.Q(name__icontains=words)
        if len(digits) >= 3:
            found |= models.Q(msisdn__contains=digits.removeprefix("0"))
        return self.filter(found) if words else self


class Contact(models.Model):
    """One person we can reach. One number is one contact; people who hide theirs on WhatsApp have a `wa_id` alone.

    A channel is reachable until a DN says otherwise; `*_bad_notice` names that DN, and an MO or a person undoes it.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    msisdn = models.CharField(_("number"), max_length=15, unique=True, null=True, blank=True)  # E.164 digits, no "+"
    wa_id = models.CharField(_("WhatsApp user id"), max_length=64, unique=True, null=True, blank=True)
    address_hmac = AddressHmacField(max_length=32, unique=True, null=True, editable=False)  # of msisdn, else of wa_id
    name = models.CharField(_("name"), max_length=200, blank=True)
    language = models.CharField(_("language"), max_length=16, blank=True)
    fields = models.JSONField(default=dict, blank=True)
    whatsapp_bad_at = models.DateTimeField(null=True, blank=True)
    whatsapp_bad_notice = models.BigIntegerField(null=True, blank=True)  # messaging.DeliveryNotice id
    sms_bad_at = models.DateTimeField(null=True, blank=True)
    sms_bad_notice = models.BigIntegerField(null=True, blank=True)
    erased_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = ContactQuerySet.as_manager()

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        permissions = [("opt_out_contact", "Can opt people out and in")]
        constraints = [
            models.CheckConstraint(
                name="contact_has_an_address",
                condition=models.Q(msisdn__isnull=False)
                | models.Q(wa_id__isnull=False)
                | models.Q(erased_at__isnull=False),
            ),
            models.CheckConstraint(
                name="contact_address_has_its_hmac",
                condition=models.Q(erased_at__isnull=False) | models.Q(address_hmac__isnull=False),
            ),
            models.CheckConstraint(
                name="contact_msisdn_is_e164_digits",
                condition=models.Q(msisdn__isnull=True) | models.Q(msisdn__regex=r"^[1-9][0-9]{6,14}$"),
            ),
        ]
        indexes = [
            GinIndex(OpClass(Upper("name"), "gin_trgm_ops"), name="contact_name_trgm"),
            GinIndex(OpClass("msisdn", "gin_trgm_ops"), name="contact_msisdn_trgm"),
            models.Index(
                "id",
                condition=models.Q(whatsapp_bad_at__isnull=False) | models.Q(sms_bad_at__isnull=False),
                name="contact_number_bad",
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.address

    @property
    def address(self) -> str:
        """The number, or the WhatsApp user id where there is none; empty once erased."""
        return self.msisdn or self.wa_id or ""

    @property
    def pretty_number(self) -> str:
        """+60 12-324 0066, or the WhatsApp user id."""
        return spelled(self.msisdn) if self.msisdn else self.wa_id or ""


class ContactField(models.Model):
    """A field that people can have beside their name and number; its key is what a placeholder says."""

    class Type(models.TextChoices):
        TEXT = "text", _("Text")
        NUMBER = "number", _("Number")
        DATE = "date", _("Date")

    key = models.CharField(max_length=32, unique=True)  # [a-z][a-z0-9_]{0,31}
    label = models.CharField(max_length=200)
    type = models.CharField(max_length=8, choices=Type, default=Type.TEXT)

    class Meta:
        ordering = ["key"]
        verbose_name = _("field")
        verbose_name_plural = _("fields")
        constraints = [
            models.CheckConstraint(
                name="contact_field_key_is_a_placeholder",
                condition=models.Q(key__regex=r"^[a-z][a-z0-9_]{0,31}$") & ~models.Q(key__in=["name", "msisdn"]),
            )
        ]

    def __str__(self) -> str:
        return self.label


class ContactListQuerySet(models.QuerySet["ContactList"]):
    def with_people(self) -> ContactListQuerySet:
        """Each with `people`, how many are in it; counted list by list from the index of memberships alone."""
        members = ListMembership.objects.filter(contact_list=models.OuterRef("pk")).order_by()
        counted = members.values("contact_list").annotate(people=models.Count("*")).values("people")
        return self.annotate(people=Coalesce(models.Subquery(counted), 0))


class ContactList(models.Model):
    """A named set of people."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(_("name"), max_length=120, unique=True)
    members = models.ManyToManyField(Contact, through="ListMembership", related_name="lists")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ContactListQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        verbose_name = _("list")
        verbose_name_plural = _("lists")

    def __str__(self) -> str:
        return self.name


class ListMembership(models.Model):
    """One person in one list."""

    contact_list = models.ForeignKey(ContactList, models.CASCADE)
    contact = models.ForeignKey(Contact, models.CASCADE)
    added_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["contact_list", "contact"], name="list_membership_once")]

    def __str__(self) -> str:
        return f"{self.contact} in {self.contact_list}"
