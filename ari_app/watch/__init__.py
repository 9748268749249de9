"""Watches a running Asterisk: AMI, supervision, recorder, doctor."""
