from django.urls import path

from messaging.web.campaigns import acts, export, person, trial, views

urlpatterns = [
    path("", views.campaign_list, name="campaign_list"),
    path("new/", views.campaign_new, name="campaign_new"),
    path("<uuid:public_id>/", views.campaign_detail, name="campaign_detail"),
    path("<uuid:public_id>/preview/", views.campaign_preview, name="campaign_preview"),
    path("<uuid:public_id>/counts/", views.campaign_counts, name="campaign_counts"),
    path("<uuid:public_id>/examples/", views.campaign_examples, name="campaign_examples"),
    path("<uuid:public_id>/live/", views.campaign_live, name="campaign_live"),
    path("<uuid:public_id>/approve/", acts.campaign_approve, name="campaign_approve"),
    path("<uuid:public_id>/clone/", acts.campaign_clone, name="campaign_clone"),
    path("<uuid:public_id>/export/", export.campaign_export, name="campaign_export"),
    path("<uuid:public_id>/note/", acts.campaign_note, name="campaign_note"),
    path("<uuid:public_id>/retry/", acts.campaign_retry, name="campaign_retry"),
    path("<uuid:public_id>/return/", acts.campaign_return, name="campaign_return"),
    path("<uuid:public_id>/test/", trial.campaign_test, name="campaign_test"),
    path("<uuid:public_id>/people/<uuid:message_id>/", person.campaign_person, name="campaign_person"),
    path("<uuid:public_id>/plan/<uuid:contact_id>/", person.campaign_person_planned, name="campaign_person_planned"),
    path("<uuid:public_id>/<slug:act>/", acts.campaign_act, name="campaign_act"),
]
