from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Birthmark(models.Model):
    """One row that is written once. Its copy out of a backup has another `xmin`: PostgreSQL says who wrote a row."""

    class Meta:
        verbose_name = _("birthmark of the database")
        verbose_name_plural = _("birthmark of the database")  # there is one
        constraints = [models.CheckConstraint(name="birthmark_is_one", condition=Q(id=1))]

    def __str__(self) -> str:
        return "birthmark"


class KnownDatabase(models.Model):
    """The database as we last knew it, in one row. Where the facts differ from it, a backup was restored."""

    system_identifier = models.BigIntegerField()  # of the cluster, made by initdb
    timeline = models.BigIntegerField()  # a promoted replica and a restore to a point in time begin a new one
    database = models.BigIntegerField()  # its oid: a dump restored under the same name has another
    birthmark = models.BigIntegerField()  # Birthmark's xmin: the rows themselves were not written anew
    epoch = models.PositiveIntegerField(default=1)  # grows with every restore; files beside the database know it
    seen_at = models.DateTimeField()  # in a restored backup: about when it was made
    lost_since = models.DateTimeField(null=True)  # what happened after this, the last restored backup does not know

    class Meta:
        verbose_name = _("known database")
        verbose_name_plural = _("known database")
        constraints = [models.CheckConstraint(name="known_database_is_one", condition=Q(id=1))]

    def __str__(self) -> str:
        return f"cluster {self.system_identifier}, timeline {self.timeline}, epoch {self.epoch}"
