"""The drop-in door: the provider's own URLs, answered by us, for systems that were written for the provider."""
