"""Looking after a running Asterisk: AMI, health, the findings of `callrace doctor`."""
