import pytest

from config.launch.screenshots import is_taken

WEB = "http://127.0.0.1:8000"


@pytest.mark.parametrize(
    ("path", "taken"),
    [
        ("/", True),
        ("/connections/", True),
        ("/admin/", True),
        ("/admin/messaging/message/", True),
        ("/admin/messaging/message/149/change/", True),
        ("/admin/auth/user/3/change/", True),
        ("/admin/auth/user/3/history/", True),
        ("/admin/messaging/", False),
        ("/admin/auth/user/", False),
        ("/admin/messaging/campaign/3/change/", False),
    ],
)
def test_every_screen_of_ours_is_taken_and_a_few_of_the_admins(path, taken):
    assert is_taken(WEB + path) is taken
