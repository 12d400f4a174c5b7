from django.apps import AppConfig
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _

from config.sessions import prepare


class MessagingConfig(AppConfig):
    name = "messaging"
    verbose_name = _("Messaging")

    def ready(self) -> None:
        from messaging import checks  # noqa: F401, PLC0415 - registers them
        from messaging.roles import sync_roles  # noqa: PLC0415 - models are not loaded before

        post_migrate.connect(sync_roles, sender=self)
        connection_created.connect(prepare)
