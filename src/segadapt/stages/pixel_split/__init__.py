"""Splits a target's pixels into easy ones, with labels, and hard ones."""
