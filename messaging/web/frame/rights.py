"""What each right lets a person do, in words that go on after “may”."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

RIGHT_WORDS: Mapping[str, Promise] = {
    "contacts.view_contact": _("see people"),
    "contacts.add_contact": _("add people"),
    "contacts.change_contact": _("change people"),
    "contacts.opt_out_contact": _("opt people out"),
    "contacts.view_contactlist": _("see lists of people"),
    "contacts.add_contactlist": _("make lists of people"),
    "contacts.change_contactlist": _("change lists of people"),
    "contacts.view_contactimport": _("see how imports went"),
    "contacts.add_contactimport": _("import people"),
    "messaging.view_template": _("see templates"),
    "messaging.add_template": _("write templates"),
    "messaging.change_template": _("change templates"),
    "messaging.approve_templateversion": _("approve templates"),
    "messaging.view_campaign": _("see campaigns"),
    "messaging.add_campaign": _("make campaigns"),
    "messaging.change_campaign": _("change campaigns"),
    "messaging.approve_campaign": _("approve campaigns"),
    "messaging.launch_campaign": _("start, pause and cancel campaigns"),
    "messaging.export_campaign": _("export the people of a campaign"),
    "messaging.view_conversation": _("read conversations"),
    "messaging.reply_conversation": _("answer people"),
    "messaging.view_connection": _("see connections"),
    "messaging.add_connection": _("add connections"),
    "messaging.change_connection": _("change connections"),
    "messaging.resume_connection": _("let a stopped connection send again"),
    "messaging.view_incident": _("see incidents"),
    "messaging.judge_message": _("decide about unknown messages"),
    "messaging.manage_apiclient": _("manage the systems that send through us"),
}
