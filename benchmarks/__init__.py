"""Measurements that made the shipped numbers, and that anyone can repeat."""
