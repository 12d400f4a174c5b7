from contacts.models.consent import ALL, ConsentEvent, Purpose, Suppression
from contacts.models.contact import Contact, ContactField, ContactList, ListMembership
from contacts.models.contact_import import ContactImport, ImportChange

__all__ = [
    "ALL",
    "ConsentEvent",
    "Contact",
    "ContactField",
    "ContactImport",
    "ContactList",
    "ImportChange",
    "ListMembership",
    "Purpose",
    "Suppression",
]
