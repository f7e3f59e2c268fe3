"""Linkadmin: shows who every open-banking link is waiting on, and repairs it."""
