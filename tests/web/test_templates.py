import pytest
from django.urls import reverse

from messaging import approval, doubts
from messaging.clock import db_now
from messaging.models import Campaign, ProviderApproval, Template, TemplateVersion
from tests.factories import make_approved_version, make_connection, make_draft, make_version

pytestmark = pytest.mark.django_db
State = TemplateVersion.State
DRAFT = {
    "name": "Reminder",
    "language": "ms",
    "purpose": "service",
    "body": "Salam {{name}},\r\njumpa {{date}}.  ",
    "sample_name": "Aminah",
    "sample_date": "12 Mac",
}


def page(name, thing):
    return reverse(name, args=[thing.public_id])


@pytest.fixture
def template(sign_in):
    sign_in("composer").post(reverse("template_new"), DRAFT)
    return Template.objects.get()


@pytest.fixture
def version(template, sign_in):
    sign_in("composer").post(page("template_submit", template))
    return TemplateVersion.objects.get()


def test_a_draft_is_kept_as_the_provider_will_compare_it(template, users):
    assert template.body == "Salam {{name}},\njumpa {{date}}."
    assert template.samples == {"name": "Aminah", "date": "12 Mac"}
    assert template.editor_ids == [users["composer"].pk]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"body": "Salam {{ Name }}"}, "is no placeholder"),
        ({"body": "{{name}}"}, "words of its own"),
        ({"body": ""}, "required"),
        ({"body": "Salam\u202e {{name}}"}, "a letter that nobody sees"),
    ],
)
def test_a_text_that_cannot_be_a_template_comes_back_with_the_reason_and_all_that_was_typed(change, words, sign_in):
    answer = sign_in("composer").post(reverse("template_new"), DRAFT | change)
    shown = answer.content.decode()
    assert answer.status_code == 422
    assert words in shown
    assert 'value="Reminder"' in shown
    assert not Template.objects.exists()


def test_a_name_that_is_taken_is_refused_at_the_top_of_the_form(template, sign_in):
    answer = sign_in("composer").post(reverse("template_new"), DRAFT | {"body": "Other"})
    assert answer.status_code == 422
    assert "Another template has this name" in answer.content.decode()


def test_the_preview_follows_the_typing(sign_in):
    answer = sign_in("composer").post(
        reverse("template_preview"), DRAFT | {"body": "Hai {{name}} dari {{place}} “lah”"}
    )
    shown = answer.content.decode()
    assert "Hai Aminah dari <mark>{{place}}</mark>" in shown
    assert "Give a sample for {{place}}" in shown
    assert 'name="sample_place"' in shown
    assert "of 70 letters" in shown


def test_samples_are_not_drawn_again_while_somebody_types_in_them(sign_in):
    answer = sign_in("composer").post(reverse("template_preview"), DRAFT)
    assert "hx-swap-oob" not in answer.content.decode()


@pytest.mark.parametrize("body", ["", "{{", "\x00", "{{a}}" * 60, "x" * 5000, "<script>alert(1)</script>"])
def test_the_preview_answers_whatever_is_typed(body, sign_in):
    answer = sign_in("composer").post(reverse("template_preview"), {"body": body})
    assert answer.status_code == 200
    assert "<script>alert" not in answer.content.decode()


def test_saving_and_asking_in_one_step_makes_a_version(sign_in):
    sign_in("composer").post(reverse("template_new"), DRAFT | {"submit": "1"})
    assert TemplateVersion.objects.get().state == State.IN_REVIEW


def test_asking_without_samples_stays_in_the_form_and_says_each_thing_once_at_its_field(template, sign_in):
    client, asked = sign_in("composer"), DRAFT | {"body": DRAFT["body"] + " Bye", "sample_date": "", "submit": "1"}
    for address in (reverse("template_new"), page("template_edit", template)):
        answer = client.post(address, asked)
        shown = answer.content.decode()
        assert answer.status_code == 422
        assert answer.context["form"].errors == {"sample_date": ["Give a sample for {{date}}."]}
        assert shown.count("Give a sample for {{date}}.") == 1
        assert "With the samples that there are" in shown
    assert Template.objects.get().body == "Salam {{name}},\njumpa {{date}}."
    assert not TemplateVersion.objects.exists()


def test_a_draft_may_lack_samples_and_its_page_says_so_once_when_it_is_asked_for(sign_in):
    client = sign_in("composer")
    saved = client.post(reverse("template_new"), DRAFT | {"sample_date": "", "sample_name": ""}, follow=True)
    shown = saved.content.decode()
    assert "No samples yet" in shown
    assert "With its samples" not in shown
    answer = client.post(page("template_submit", Template.objects.get()), follow=True)
    assert answer.content.decode().count("Give a sample for {{date}}.") == 1
    assert "Not asked yet" in answer.content.decode()
    assert not TemplateVersion.objects.exists()


def test_whoever_approves_hears_what_is_still_missing(version, template, sign_in):
    make_connection(kind="bulk360", name="Clinic")
    shown = sign_in("approver").post(page("version_approve", version), follow=True).content.decode()
    assert "may not be sent yet: the provider&#x27;s own approval is missing (Clinic)" in shown
    assert "may be sent now" not in shown


def test_the_story_tells_what_the_provider_said(version, template, sign_in, users):
    real = make_connection(kind="bulk360", name="Clinic")
    approval.approve_version(version=version, user=users["approver"], now=db_now())
    approval.confirm_at_provider(
        version=version, connection=real, user=users["approver"], evidence="Seen in the portal", now=db_now()
    )
    doubts.doubt_version(version_id=version.pk, connection_id=real.pk, evidence="406", now=db_now())
    story = sign_in("viewer").get(page("template_detail", template)).context["story"]
    assert [(str(act.words), act.connection) for act in story[:2]] == [
        ("The provider refused this text (406): its approval is doubted", "Clinic"),
        ("says that the provider approved it", "Clinic"),
    ]


def test_another_person_approves_and_both_badges_say_so(version, sign_in, connection):
    answer = sign_in("approver").post(page("version_approve", version), follow=True)
    shown = answer.content.decode()
    assert "Approved · v1" in shown
    assert "Not confirmed yet" in shown


def test_the_writer_sees_why_they_cannot_decide(sign_in, users):
    version = make_version("Hello {{name}}", samples={"name": "A"}, author=users["admin"])
    client = sign_in("admin")
    shown = client.get(page("version_review", version)).content.decode()
    assert "the same person cannot approve it" in shown
    assert "Approve this text" not in shown
    answer = client.post(page("version_approve", version), follow=True)
    assert "somebody else has to approve it" in answer.content.decode()
    assert TemplateVersion.objects.get().state == State.IN_REVIEW


def test_a_text_is_sent_back_only_with_a_reason_which_its_writer_reads(version, template, sign_in):
    answer = sign_in("approver").post(page("version_return", version), {"reason": "  "})
    assert answer.status_code == 422
    assert TemplateVersion.objects.get().state == State.IN_REVIEW
    sign_in("approver").post(page("version_return", version), {"reason": "Say which clinic."})
    shown = sign_in("composer").get(page("template_detail", template)).content.decode()
    assert "Say which clinic." in shown
    assert "Returned · v1" in shown


def test_the_decision_page_marks_the_words_that_changed(version, template, sign_in):
    sign_in("approver").post(page("version_approve", version))
    sign_in("composer").post(page("template_edit", template), DRAFT | {"body": "Salam {{name}},\njumpa lagi {{date}}."})
    sign_in("composer").post(page("template_submit", template))
    second = TemplateVersion.objects.get(number=2)
    shown = sign_in("approver").get(page("version_review", second)).content.decode()
    assert "lagi" in shown[shown.index("<ins>") : shown.index("</ins>")]
    assert "What changes against version 1" in shown
    listed = sign_in("viewer").get(reverse("template_list")).content.decode()
    assert "Approved · v1" in listed
    assert "In review · v2" in listed


def test_a_decision_that_somebody_else_took_meanwhile_is_said(version, sign_in, users):
    approval.return_version(version=version, user=users["admin"], reason="No.", now=db_now())
    answer = sign_in("approver").post(page("version_approve", version), follow=True)
    assert "not in review any more" in answer.content.decode()


def test_the_queue_knows_what_is_mine_to_decide(users, sign_in):
    make_version("One", author=users["approver"])
    make_version("Two")
    queue = sign_in("approver").get(reverse("review_queue"))
    mine = sign_in("approver").get(reverse("review_queue"), {"mine": "1"})
    assert (len(queue.context["rows"]), len(mine.context["rows"])) == (2, 1)


def test_retiring_says_what_it_stops_and_keeps_the_story(version, template, sign_in):
    client = sign_in("composer")
    assert "Nothing goes out with this text any more" in client.get(page("template_retire", template)).content.decode()
    shown = client.post(page("template_retire", template), follow=True).content.decode()
    assert "Retired" in shown
    assert "asked for approval" in shown
    assert (
        "Edit"
        not in shown[shown.index("page-head__actions") : shown.index("</header>", shown.index("page-head__actions"))]
    )
    assert template.name not in client.get(reverse("template_list")).content.decode()
    assert template.name in client.get(reverse("template_list"), {"state": "retired"}).content.decode()


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["Flu"], "One campaign still names it and loses its template: Flu."),
        (["Flu", "Haze"], "These campaigns still name it and lose their template:"),
    ],
)
def test_retiring_names_the_campaigns_that_lose_it(names, words, connection, sign_in):
    version = make_approved_version()
    for name in names:
        campaign = make_draft(connection, [], template_version=version)
        Campaign.objects.filter(pk=campaign.pk).update(name=name)
    asked = sign_in("composer").get(page("template_retire", version.template)).content.decode()
    assert words in asked
    assert all(name in asked for name in names)


def test_a_person_says_that_the_provider_approved_it_and_how_they_know(sign_in):
    real = make_connection(kind="bulk360")
    version = make_approved_version()
    client, here = sign_in("approver"), reverse("version_confirm", args=[version.public_id, real.public_id])
    assert client.post(here, {"evidence": ""}).status_code == 422
    client.post(here, {"evidence": "Seen in the portal"})
    told = ProviderApproval.objects.get(version=version, connection=real)
    assert (told.state, told.evidence) == ("approved", "Seen in the portal")


def test_a_refusal_of_the_provider_shows_beside_our_approval(sign_in):
    real = make_connection(kind="bulk360")
    version = make_approved_version()
    doubts.doubt_version(version_id=version.pk, connection_id=real.pk, evidence="406", now=db_now())
    shown = sign_in("viewer").get(page("template_detail", version.template)).content.decode()
    assert "Approved · v1" in shown
    assert "Doubted" in shown
