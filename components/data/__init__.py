"""Jobs that bring images and labels in, freeze and check them."""
