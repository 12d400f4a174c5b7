"""A file of people → contacts: reader (bytes to rows), mapping (columns to fields), load (rows to the database)."""

from contacts.imports.refusal import FileRefused
from contacts.imports.retention import forget_files
from contacts.imports.service import Preview, import_file, preview, run_import, run_waiting, start_import

__all__ = [
    "FileRefused",
    "Preview",
    "forget_files",
    "import_file",
    "preview",
    "run_import",
    "run_waiting",
    "start_import",
]
