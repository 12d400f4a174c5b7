import pytest


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    """Uploads of a test go where the test's own files go."""
    settings.MEDIA_ROOT = str(tmp_path / "media")
