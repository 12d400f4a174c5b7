"""What staff do in a conversation: answer, answer by template, note, take it on, read a wish to stop."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from messaging import inbox, nudges, stop_wishes, text
from messaging.clock import db_now
from messaging.errors import Refused
from messaging.models import Conversation, Message, ProviderApproval, TemplateVersion
from messaging.statuses import Channel
from messaging.web.conversations.asked import within
from messaging.web.conversations.forms import NoteForm, ReplyForm, TemplateReplyForm
from messaging.web.conversations.views import LIMIT, REPLY, asking_again, find, reply_box, show, swapped_in
from messaging.web.conversations.ways import Ways, opt_out_of
from messaging.web.frame.answers import ask, attempt, go, in_dialog
from messaging.web.frame.decorators import StaffRequest, staff_required
from messaging.web.frame.parts import Sheet


def _home(request: StaffRequest, conversation: Conversation) -> str:
    return reverse("conversation_detail", args=[conversation.public_id]) + within(request.GET)


@require_POST
@staff_required(REPLY)
def conversation_reply(request: StaffRequest, public_id: str) -> HttpResponse:
    """Send free text, as an SMS, or hold it; a refusal gives the text back with the reason."""
    conversation = find(public_id)
    form = ReplyForm(request.POST)
    form.is_valid()
    act = request.POST.get("act", "send")
    try:
        message = inbox.reply(
            conversation=conversation,
            user=request.user,
            text=form.cleaned_data.get("text", ""),
            now=db_now(),
            expected_version=form.cleaned_data.get("version"),
            channel=Channel.SMS if act == "sms" else "",
            hold=act == "hold",
        )
    except Refused as refusal:
        form.refuse(refusal)
        return _again(request, find(public_id), form)
    return _said(request, find(public_id), message)


def _said(request: StaffRequest, conversation: Conversation, message: Message) -> HttpResponse:
    nudges.drain(conversation.connection_id)
    if message.held_for == Message.HeldFor.UNTIL_REPLY:
        messages.success(request, _("Held back until they write; then it leaves by itself."))
    if not request.htmx:
        return redirect(f"{_home(request, conversation)}#end")
    return _part(request, conversation, ReplyForm(initial={"version": conversation.version}))


def _again(request: StaffRequest, conversation: Conversation, form: ReplyForm) -> HttpResponse:
    return _part(request, conversation, form, 409) if request.htmx else show(request, conversation, form, 409)


def _part(request: StaffRequest, conversation: Conversation, form: ReplyForm, status: int = 200) -> HttpResponse:
    """The reply box, with the timeline beside it as it is now."""
    entries = inbox.timeline(conversation.contact, limit=LIMIT)
    context = reply_box(request, conversation, form)
    context |= asking_again(context, entries) | swapped_in(request, entries)
    return render(request, "messaging/_conversation_answered.html", context, status=status)


def usable_versions(conversation: Conversation) -> QuerySet[TemplateVersion]:
    """Approved by us, and not doubted by this connection's provider; the newest of each name first."""
    doubted = ProviderApproval.objects.filter(
        connection=conversation.connection_id, state=ProviderApproval.State.DOUBTED
    )
    approved = TemplateVersion.objects.approved().exclude(pk__in=doubted.values("version"))
    return approved.select_related("template").order_by("template__name", "-number")


@require_http_methods(["GET", "HEAD", "POST"])
@staff_required(REPLY)
def conversation_template(request: StaffRequest, public_id: str) -> HttpResponse:
    """Choose an approved template, the closest to a draft first; see it with this person's values; send it."""
    conversation = find(public_id)
    versions = usable_versions(conversation)
    version = _chosen(versions, request.POST.get("version_id") or request.GET.get("version_id", ""))
    form, refused, draft = None, "", request.POST.get("text", "")
    if version:
        typed = request.POST if request.POST.get("act") in ("show", "send") else None
        form = TemplateReplyForm(typed, version=version, conversation=conversation)
    if form and request.POST.get("act") == "send" and form.is_valid():
        try:
            inbox.reply_with_template(
                conversation=conversation,
                user=request.user,
                template_version=form.chosen,
                variables=form.values,
                now=db_now(),
                expected_version=form.cleaned_data["version"],
            )
            nudges.drain(conversation.connection_id)
            messages.success(request, _("The template is on its way."))
            return go(request, _home(request, conversation))
        except Refused as refusal:
            refused = str(refusal.words)
    context = {
        "conversation": conversation,
        "versions": versions,
        "closest": inbox.closest(versions, draft),
        "draft": draft,
        "form": form,
        "chosen": version,
        "refused": refused,
        "stopped": Ways(Channel.WHATSAPP, opt_out_of(conversation)).told,
        "within": within(request.GET),
    }
    template = "messaging/_conversation_template.html" if in_dialog(request) else "messaging/conversation_template.html"
    return render(request, template, context, status=422 if refused or (form and form.errors) else 200)


def _chosen(versions: QuerySet[TemplateVersion], public_id: str) -> TemplateVersion | None:
    try:
        return versions.filter(public_id=UUID(public_id)).first()
    except ValueError:
        return None


@require_POST
@staff_required(REPLY)
def conversation_parts(request: StaffRequest, public_id: str) -> HttpResponse:
    """How many parts a text would take as an SMS to this person; it is asked by POST, for a log keeps addresses."""
    msisdn, body = find(public_id).contact.msisdn or "", text.normalize_body(request.POST.get("text", "")).strip()
    sms = text.sms_parts(body, text.sms_prefix_len(msisdn))
    words = ngettext("as SMS: %(n)d part", "as SMS: %(n)d parts", sms.parts) % {"n": sms.parts} if body else ""
    return HttpResponse(words, content_type="text/plain")


@require_POST
@staff_required(REPLY)
def conversation_note(request: StaffRequest, public_id: str) -> HttpResponse:
    conversation = find(public_id)
    form = NoteForm(request.POST)
    if form.is_valid():
        arguments: dict[str, Any] = {"contact": conversation.contact, "user": request.user, "now": db_now()}
        attempt(request, inbox.add_note, conversation=conversation, text=form.cleaned_data["note"], **arguments)
    else:
        messages.error(request, _("Write a note first."))
    return redirect(f"{_home(request, conversation)}#end")


@require_POST
@staff_required(REPLY)
def conversation_assign(request: StaffRequest, public_id: str) -> HttpResponse:
    """Take it on, or give it back to everybody."""
    conversation = find(public_id)
    owner = request.user if request.POST.get("to") == "me" else None
    attempt(request, inbox.assign, conversation=conversation, owner=owner, user=request.user, now=db_now())
    return go(request, _home(request, conversation))


@require_POST
@staff_required(REPLY)
def conversation_settle(request: StaffRequest, public_id: str) -> HttpResponse:
    """They wait for nothing: it leaves “Waiting for us” without an answer."""
    conversation, seen = find(public_id), request.POST.get("unread", "")
    unread = int(seen) if seen.isascii() and seen.isdigit() else 0
    attempt(request, inbox.nothing_to_answer, conversation=conversation, unread=unread)
    return go(request, _home(request, conversation))


@require_http_methods(["GET", "HEAD", "POST"])
@staff_required("contacts.opt_out_contact")
def conversation_stop(request: StaffRequest, public_id: str) -> HttpResponse:
    """They wrote something that may mean STOP: yes, opt them out."""
    conversation = find(public_id)
    last = Message.objects.mos().filter(contact=conversation.contact_id).order_by("-timeline_at", "-pk").first()
    if request.method != "POST":
        told = (
            _("Nothing more is sent to %s, on any channel. They can undo it by writing START.") % conversation.contact
        )
        title, button = _("Did they ask us to stop?"), _("Yes, stop writing to them")
        return ask(request, Sheet(title, button, request.path, _home(request, conversation), told, danger=True))
    arguments: dict[str, Any] = {"conversation": conversation, "user": request.user, "now": db_now()}
    words = last.body if last else _("They asked us to stop.")
    attempt(request, stop_wishes.meant_to_stop, done=_("Nothing more is sent to them."), words=words, **arguments)
    return go(request, _home(request, conversation))


@require_POST
@staff_required("contacts.opt_out_contact")
def conversation_no_stop(request: StaffRequest, public_id: str) -> HttpResponse:
    """They meant something else."""
    conversation = find(public_id)
    arguments: dict[str, Any] = {"conversation": conversation, "user": request.user, "now": db_now()}
    attempt(request, stop_wishes.did_not_mean_stop, done=_("We go on as before."), **arguments)
    return go(request, _home(request, conversation))
