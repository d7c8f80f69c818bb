"""Batch inference: run the champion on many images, and write its boxes as COCO JSON."""
