from django.db import models


class Recipient(models.Model):
    """One text to one person, and what came of it."""

    msisdn = models.CharField(max_length=20)
    text = models.TextField()
    status = models.CharField(max_length=20, default="queued", db_index=True)
    ref = models.CharField(max_length=80, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self):
        return self.msisdn
