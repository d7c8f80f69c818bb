"""Jobs of car detection by life-cycle stage, and the packages that they share."""
