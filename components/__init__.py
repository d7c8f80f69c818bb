"""The jobs of car detection, each a folder that one container runs."""
