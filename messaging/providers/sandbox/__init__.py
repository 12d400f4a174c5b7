"""The provider's twin: speaks Bulk360's HTTP API V3.0 and shares no code with the product that it judges."""
