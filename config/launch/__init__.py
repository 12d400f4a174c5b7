"""Behind `manage.py up` and `manage.py test`: the virtual environment, the local servers and the supervisor.

cli, bootstrap and problem start on the standard library alone; the rest runs inside `.venv`.
"""
