from django.urls import path

from messaging.web import campaign_acts, campaign_person, campaigns

urlpatterns = [
    path("", campaigns.campaign_list, name="campaign_list"),
    path("new/", campaigns.campaign_new, name="campaign_new"),
    path("<uuid:public_id>/", campaigns.campaign_detail, name="campaign_detail"),
    path("<uuid:public_id>/preview/", campaign_acts.campaign_preview, name="campaign_preview"),
    path("<uuid:public_id>/live/", campaign_acts.campaign_live, name="campaign_live"),
    path("<uuid:public_id>/approve/", campaign_acts.campaign_approve, name="campaign_approve"),
    path("<uuid:public_id>/return/", campaign_acts.campaign_return, name="campaign_return"),
    path("<uuid:public_id>/people/<uuid:message_id>/", campaign_person.campaign_person, name="campaign_person"),
    path("<uuid:public_id>/<slug:act>/", campaign_acts.campaign_act, name="campaign_act"),
]
