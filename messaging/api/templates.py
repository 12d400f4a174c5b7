"""Templates: written and submitted by systems, approved by people alone."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from rest_framework import serializers
from rest_framework.response import Response

from messaging import approval
from messaging.api.fields import NO_NUL, Text, Values, Word
from messaging.api.message_shapes import PURPOSES
from messaging.api.operations import Call, operation
from messaging.api.paging import page
from messaging.api.shapes import PageQuery, Shape, page_of
from messaging.api.views import ApiView
from messaging.models import Scope, Template, TemplateVersion

VIEW, ADD, CHANGE = "messaging.view_template", "messaging.add_template", "messaging.change_template"


class NewTemplate(Shape):
    """A draft. `samples` has a value for each placeholder of the body."""

    name = Text(max_length=120)
    body = Text(max_length=4096, pattern=NO_NUL)
    language = Text(required=False, default="en", max_length=16)
    purpose = Word(required=False, default="service", choices=[purpose.value for purpose in PURPOSES])
    samples = Values(required=False)


class VersionShape(serializers.Serializer):
    """A text as it was submitted; it never changes."""

    id = serializers.UUIDField(source="public_id")
    number = serializers.IntegerField()
    state = serializers.ChoiceField(choices=TemplateVersion.State.values)
    language = serializers.CharField()
    purpose = serializers.CharField()
    body = serializers.CharField()
    submitted_at = serializers.DateTimeField()
    decided_at = serializers.DateTimeField(allow_null=True)
    returned_because = serializers.SerializerMethodField()

    def get_returned_because(self, version: TemplateVersion) -> str | None:
        return next((review.reason for review in version.reviews.all() if review.reason), None)


class TemplateShape(serializers.Serializer):
    """A template's draft, and its versions, newest first."""

    id = serializers.UUIDField(source="public_id")
    name = serializers.CharField()
    language = serializers.CharField()
    purpose = serializers.CharField()
    body = serializers.CharField(allow_blank=True)
    samples = serializers.DictField(child=serializers.CharField(allow_blank=True))
    retired_at = serializers.DateTimeField(allow_null=True)
    versions = VersionShape(many=True)


TEMPLATES = Template.objects.prefetch_related("versions__reviews")


class Templates(ApiView):
    @operation(
        "All templates", scope=Scope.CAMPAIGNS, right=VIEW, query=PageQuery, answers={200: page_of(TemplateShape)}
    )
    def get(self, call: Call) -> Response:
        return page(TEMPLATES.all(), call, TemplateShape)

    @operation(
        "Write a template",
        scope=Scope.CAMPAIGNS,
        right=ADD,
        body=NewTemplate,
        answers={201: TemplateShape},
        once=True,
        description="A draft of the client's owner, who therefore cannot approve it.",
    )
    def post(self, call: Call) -> Response:
        words = call.body | {"samples": call.body.get("samples", {})}
        template = approval.save_template(template=None, user=call.user, now=call.now, **words)
        return Response(TemplateShape(TEMPLATES.get(pk=template.pk)).data, status=201)


class TemplateDetail(ApiView):
    @operation("One template", scope=Scope.CAMPAIGNS, right=VIEW, answers={200: TemplateShape})
    def get(self, call: Call, template_id: Any) -> Response:
        return Response(TemplateShape(get_object_or_404(TEMPLATES.all(), public_id=template_id)).data)


class TemplateSubmission(ApiView):
    @operation(
        "Ask for a template's approval",
        scope=Scope.CAMPAIGNS,
        right=CHANGE,
        answers={201: VersionShape},
        once=True,
        description="Makes a version of the draft. A person who had no hand in it approves it, on the screens.",
    )
    def post(self, call: Call, template_id: Any) -> Response:
        template = get_object_or_404(Template, public_id=template_id)
        version = approval.submit_template(template=template, user=call.user, now=call.now)
        return Response(VersionShape(version).data, status=201)
