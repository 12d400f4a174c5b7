"""Secrets at rest: encrypted with the newest of FIELD_KEYS, readable with any of them."""

from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.db import models


@lru_cache(maxsize=4)
def _fernet(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


class EncryptedTextField(models.TextField):
    """A text that the database, its dumps and its backups see only encrypted. Cannot be searched."""

    def get_prep_value(self, value: Any) -> Any:
        value = super().get_prep_value(value)
        return value and _fernet(tuple(settings.FIELD_KEYS)).encrypt(value.encode()).decode()

    def from_db_value(self, value: Any, *_: Any) -> Any:
        return value and _fernet(tuple(settings.FIELD_KEYS)).decrypt(value.encode()).decode()
