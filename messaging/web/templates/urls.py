from django.urls import path

from messaging.web.templates import reviews, views

urlpatterns = [
    path("", views.template_list, name="template_list"),
    path("new/", views.template_new, name="template_new"),
    path("preview/", views.template_preview, name="template_preview"),
    path("review/", reviews.review_queue, name="review_queue"),
    path("<uuid:public_id>/", views.template_detail, name="template_detail"),
    path("<uuid:public_id>/edit/", views.template_edit, name="template_edit"),
    path("<uuid:public_id>/submit/", views.template_submit, name="template_submit"),
    path("<uuid:public_id>/retire/", views.template_retire, name="template_retire"),
    path("versions/<uuid:public_id>/", reviews.version_review, name="version_review"),
    path("versions/<uuid:public_id>/approve/", reviews.version_approve, name="version_approve"),
    path("versions/<uuid:public_id>/return/", reviews.version_return, name="version_return"),
    path("versions/<uuid:public_id>/confirm/<uuid:connection_id>/", reviews.version_confirm, name="version_confirm"),
]
