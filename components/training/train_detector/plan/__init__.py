"""What a training is: its settings, its plan, its history."""
