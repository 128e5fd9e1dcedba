"""What goes wrong in answers to disturbed questions, and what helps."""
