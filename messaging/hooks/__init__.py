"""The provider's way in: DNs and MOs are kept as bytes and answered at once; ingest reads them later."""
