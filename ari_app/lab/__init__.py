"""SIP callers and agents, and a lab to try calls in."""
