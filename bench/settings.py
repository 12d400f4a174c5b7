"""The product's settings and, before all its middleware, a view that does nothing: the most that its server can do.

Its URLs have one page more, the empty frame.
"""

from config.settings import *  # noqa: F403
from config.settings import MIDDLEWARE as OURS

MIDDLEWARE = ["bench.bare.Bare", *OURS]
ROOT_URLCONF = "bench.frame"
