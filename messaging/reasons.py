"""The rule's reasons in words: a sentence for a person, a few words for a table, and what to do about it."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from messaging.policy import Reason

WORDS_OF_ITS_OWN = _("The text needs words of its own: placeholders alone would allow any message.")

REASON_WORDS: Mapping[Reason, Promise] = {
    Reason.WINDOW_OPEN: _("They wrote to us within 24 hours, so free text may go."),
    Reason.WINDOW_WAIVED: _("Goes as free text: the system that sent it is only observed."),
    Reason.TEMPLATE_APPROVED: _("The template is approved, so it may go at any time."),
    Reason.SMS_TEXT: _("An SMS may go at any time."),
    Reason.QUIET_HOURS: _("Held back until the quiet hours end."),
    Reason.UNTIL_REPLY: _("Held back until they write to us."),
    Reason.ERASED: _("This person's data was erased."),
    Reason.NO_NUMBER: _("We have no phone number for this person."),
    Reason.NO_TEXT: _("There is no text for any way of sending."),
    Reason.EXPIRED: _("It would leave after the time you set as the latest."),
    Reason.OPTED_OUT: _("They are opted out of every way in which this could go."),
    Reason.NO_CONSENT: _("They have not agreed to marketing."),
    Reason.NUMBER_BAD: _("The provider says that this number does not work."),
    Reason.REACHED: _("Another try of this message reached them, may have, or is still on its way."),
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
    Reason.WINDOW_WAIVED: _("24 hours not looked at"),
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
    Reason.REACHED: _("another try is for them"),
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
NEXT_STEPS: Mapping[str, Promise] = {
    Reason.QUIET_HOURS: _("Nothing to do: it leaves by itself."),
    Reason.UNTIL_REPLY: _("It leaves by itself when they write. To reach them before, send an approved template."),
    Reason.ERASED: _("Nothing to do: nobody may write to them any more."),
    Reason.NO_NUMBER: _("Enter their number on their page, then send it again."),
    Reason.NO_TEXT: _("Send it again with a text for a way in which they can be reached."),
    Reason.EXPIRED: _("Send it again with a later time, if it still matters."),
    Reason.OPTED_OUT: _("Do not write to them until they write to us or agree to it again."),
    Reason.NO_CONSENT: _("Write their consent down on their page first, if they gave it."),
    Reason.NUMBER_BAD: _("Ask them for a number that works and add it as a new person: a number cannot be changed."),
    Reason.REACHED: _("Nothing to do: nobody gets it twice."),
    Reason.CAPPED: _("Send it again tomorrow, or have an administrator raise the connection's daily limit."),
    Reason.WINDOW_CLOSED: _("Send an approved template or an SMS instead, or wait until they write."),
    Reason.MARKETING_IN_TEMPLATE: _("Send it as free text to those who wrote within 24 hours, or as SMS."),
    Reason.TEMPLATE_NOT_APPROVED: _("Have the template approved, by us and by the provider, then send it again."),
    Reason.MISSING_VARIABLE: _("Fill it in on their page, then send it again."),
    Reason.UNFIT_VARIABLE: _("Correct it on their page, then send it again."),
}
CHANGES: Mapping[str, Promise] = {  # in the facts, while the campaign has not started; everyone is looked at again then
    Reason.ERASED: _("Nothing can change that."),
    Reason.NO_NUMBER: _("Add them as a new person with their number, in one of the campaign's lists."),
    Reason.NO_TEXT: _("They get it if the campaign has a text for a way in which they can be reached."),
    Reason.EXPIRED: _("They get it if the campaign has a later time in “Not after”, or leaves earlier."),
    Reason.OPTED_OUT: _("They get it only if they themselves agree to messages again before the campaign starts."),
    Reason.NO_CONSENT: _("They get it if they agree, and their page says so before the campaign starts."),
    Reason.NUMBER_BAD: _("They get it if they write to us from this number before: then it works again."),
    Reason.REACHED: _("They get it only if the other try is reported as not delivered before."),
    Reason.CAPPED: _("They get it if it starts another day, or if an administrator raises the daily limit before."),
    Reason.WINDOW_CLOSED: _("They get it if they write to us before, or if it has a template or an SMS text."),
    Reason.MARKETING_IN_TEMPLATE: _("They get it if they write to us before, or if it has an SMS text."),
    Reason.TEMPLATE_NOT_APPROVED: _("They get it if the provider approves the template before the campaign starts."),
    Reason.MISSING_VARIABLE: _("They get it if it is filled in on their page before the campaign starts."),
    Reason.UNFIT_VARIABLE: _("They get it if it is corrected on their page before the campaign starts."),
}


def reason_words(reason: str) -> str:
    """The sentence for a reason, with its variable named; a word that is not ours is shown as it is."""
    return _say(reason, REASON_WORDS, VARIABLE_WORDS)


def reason_short(reason: str) -> str:
    """A few words for a table's heading or a group."""
    return _say(reason, SHORT_REASONS, SHORT_VARIABLES)


def reason_next(reason: str) -> str:
    """What a member of staff does about it; empty for what lets a message leave and for a word that is not ours."""
    return str(NEXT_STEPS.get(reason.partition(":")[0], ""))


def reason_change(reason: str) -> str:
    """What could still let a planned message leave that would be skipped for this; empty for other reasons."""
    return str(CHANGES.get(reason.partition(":")[0], ""))


def _say(reason: str, words: Mapping[Reason, Promise], with_name: Mapping[Reason, Promise]) -> str:
    code, _colon, name = reason.partition(":")
    try:
        known = Reason(code)
    except ValueError:
        return reason.replace("_", " ")
    return str(with_name[known]).format(name=name) if name and known in with_name else str(words[known])
