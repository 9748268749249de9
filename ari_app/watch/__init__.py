"""Looking after a running Asterisk: AMI, supervision, recorder, doctor."""
