"""The words of the project as frozen records and enums; imports nothing of the project."""
