"""Ask the champion about many images at once, and keep its boxes as COCO JSON."""
