"""Invoices and statements: their rows, JSON and PDF."""
