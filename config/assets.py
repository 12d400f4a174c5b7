"""Static files with a hash in their name, compressed; wheels ship CSS and JS without the source maps these point to."""

from django.contrib.staticfiles.storage import HashedFilesMixin
from whitenoise.storage import CompressedManifestStaticFilesStorage


def _without_source_maps(rules: tuple) -> tuple:
    return tuple(rule for rule in rules if "sourceMappingURL" not in str(rule))


class Assets(CompressedManifestStaticFilesStorage):
    patterns = tuple((glob, _without_source_maps(rules)) for glob, rules in HashedFilesMixin.patterns)
