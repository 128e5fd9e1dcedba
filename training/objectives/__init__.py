"""Objectives: losses that replace or extend the task loss. Every module here registers one."""
