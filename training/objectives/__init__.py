"""Objectives: what replaces or joins the task loss. Every module here registers one."""
