"""Simulate cameras: render traffic scenes with exact boxes, and send them as frames."""
