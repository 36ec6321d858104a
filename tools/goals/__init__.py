"""The goals: one file, one goal."""
