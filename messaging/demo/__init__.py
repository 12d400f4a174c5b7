"""A clinic in Klang that shows what Switchboard does, and campaigns of any size for trying and checking it.

Everything goes through the services, as two people would do it on the screens.
"""
