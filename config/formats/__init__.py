"""How the admin writes moments; the screens say their own (messaging.web.frame.words)."""
