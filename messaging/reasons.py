"""The rule's reasons in words: a sentence for a person, and a few words for a table."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from messaging.policy import Reason

REASON_WORDS: Mapping[Reason, Promise] = {
    Reason.WINDOW_OPEN: _("They wrote to us within 24 hours, so free text may go."),
    Reason.TEMPLATE_APPROVED: _("Goes as the approved template."),
    Reason.SMS_TEXT: _("Goes as SMS."),
    Reason.QUIET_HOURS: _("Held until the quiet hours end."),
    Reason.UNTIL_REPLY: _("Held until they write to us."),
    Reason.ERASED: _("This person's data was erased."),
    Reason.NO_NUMBER: _("We have no phone number for this person."),
    Reason.NO_TEXT: _("There is no text for any way of sending."),
    Reason.EXPIRED: _("It would leave after the time you set as the latest."),
    Reason.OPTED_OUT: _("They asked us not to write to them."),
    Reason.NO_CONSENT: _("They have not agreed to marketing."),
    Reason.NUMBER_BAD: _("The provider says that this number does not work."),
    Reason.CAPPED: _("They have had as many messages today as we allow."),
    Reason.WINDOW_CLOSED: _("They have not written within 24 hours, so free text may not go."),
    Reason.MARKETING_IN_TEMPLATE: _("The provider does not allow marketing as a template."),
    Reason.TEMPLATE_NOT_APPROVED: _("The template is not approved, by us or by the provider."),
    Reason.MISSING_VARIABLE: _("A value that the text needs is missing."),
    Reason.UNFIT_VARIABLE: _("A value does not fit into the text."),
}
VARIABLE_WORDS: Mapping[Reason, Promise] = {
    Reason.MISSING_VARIABLE: _("The text needs “{name}”, which is empty for this person."),
    Reason.UNFIT_VARIABLE: _(
        "“{name}” cannot stand in the text: it is too long, or has a line break or two blanks together."
    ),
}
SHORT_REASONS: Mapping[Reason, Promise] = {
    Reason.WINDOW_OPEN: _("wrote within 24 hours"),
    Reason.TEMPLATE_APPROVED: _("approved template"),
    Reason.SMS_TEXT: _("SMS text"),
    Reason.QUIET_HOURS: _("quiet hours"),
    Reason.UNTIL_REPLY: _("until they write"),
    Reason.ERASED: _("data erased"),
    Reason.NO_NUMBER: _("no phone number"),
    Reason.NO_TEXT: _("no text"),
    Reason.EXPIRED: _("too late"),
    Reason.OPTED_OUT: _("opted out"),
    Reason.NO_CONSENT: _("no consent to marketing"),
    Reason.NUMBER_BAD: _("number does not work"),
    Reason.CAPPED: _("daily limit reached"),
    Reason.WINDOW_CLOSED: _("24 hours over"),
    Reason.MARKETING_IN_TEMPLATE: _("marketing may not be a template"),
    Reason.TEMPLATE_NOT_APPROVED: _("template not approved"),
    Reason.MISSING_VARIABLE: _("a value is missing"),
    Reason.UNFIT_VARIABLE: _("a value does not fit"),
}
SHORT_VARIABLES: Mapping[Reason, Promise] = {
    Reason.MISSING_VARIABLE: _("no “{name}”"),
    Reason.UNFIT_VARIABLE: _("“{name}” does not fit"),
}


def reason_words(reason: str) -> str:
    """The sentence for a reason, with its variable named; a word that is not ours is shown as it is."""
    return _say(reason, REASON_WORDS, VARIABLE_WORDS)


def reason_short(reason: str) -> str:
    """A few words for a table's heading or a group."""
    return _say(reason, SHORT_REASONS, SHORT_VARIABLES)


def _say(reason: str, words: Mapping[Reason, Promise], with_name: Mapping[Reason, Promise]) -> str:
    code, _colon, name = reason.partition(":")
    try:
        known = Reason(code)
    except ValueError:
        return reason.replace("_", " ")
    return str(with_name[known]).format(name=name) if name and known in with_name else str(words[known])
