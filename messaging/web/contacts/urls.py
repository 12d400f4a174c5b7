from django.urls import path

from messaging.web.contacts import acts, columns, imports, lists, views

urlpatterns = [
    path("", views.contact_list, name="contact_list"),
    path("new/", views.contact_new, name="contact_new"),
    path("import/", imports.contact_import, name="contact_import"),
    path("import/<uuid:public_id>/", imports.import_detail, name="import_detail"),
    path("import/<uuid:public_id>/columns/", columns.import_columns, name="import_columns"),
    path("import/<uuid:public_id>/discard/", columns.import_discard, name="import_discard"),
    path("import/<uuid:public_id>/settle/", imports.import_settle, name="import_settle"),
    path("import/<uuid:public_id>/bad-rows/", imports.import_bad_rows, name="import_bad_rows"),
    path("lists/", lists.list_list, name="list_list"),
    path("lists/new/", lists.list_new, name="list_new"),
    path("lists/<uuid:public_id>/", lists.list_edit, name="list_edit"),
    path("<uuid:public_id>/", views.contact_detail, name="contact_detail"),
    path("<uuid:public_id>/edit/", views.contact_edit, name="contact_edit"),
    path("<uuid:public_id>/lists/", acts.contact_lists, name="contact_lists"),
    path("<uuid:public_id>/opt-out/", acts.contact_opt_out, name="contact_opt_out"),
    path("<uuid:public_id>/opt-in/", acts.contact_opt_in, name="contact_opt_in"),
    path("<uuid:public_id>/reachable/<str:channel>/", acts.contact_reachable, name="contact_reachable"),
]
